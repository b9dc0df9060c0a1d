// Builds static/dist: our scripts and styles, minified, under names that carry a hash of their content.
//
//   node static/build.mjs
//
// Sources are every .js and .css under static/, and the pictures and fonts beside them. A file that another
// one imports is a part of it; every other file is an entry, and templates name it: asset('css/app.css').
// The manifest maps source names, relative to static/, to built names, relative to static/dist/:
//
//   {"css/app.css": "css/app-7QK2M3XB.css", "door/scan.js": "door/scan-P5TQ2H4L.js", "icons.svg": "icons-….svg"}
//
// It is written last, so that a page served during a build finds files that exist.
//
// Documents are set with fonts of their own (outreach/exports/documents/fonts.py); they lie beside what is built,
// so that whoever carries static/dist/ away has everything.
//
// A script that needs a file's address imports it:
//   import readerWasm from "zxing-wasm/reader/zxing_reader.wasm";   // "/static/dist/assets/zxing_reader-….wasm"

import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import esbuild from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, "static");
const dist = join(source, "dist");

const fonts = [
  "fonts-sc/LICENSE",
  "fonts-sc/fonts/NotoSansHans-Regular.otf",
  "fonts-sc/fonts/NotoSansHans-Bold.otf",
  "fonts-jp/fonts/NotoSansJP-Regular.otf",
  "fonts-jp/fonts/NotoSansJP-Bold.otf",
].map((name) => join(root, "node_modules", "@embedpdf", name));

const code = [".js", ".css"];
const copied = [".svg", ".png", ".ico", ".webp", ".woff2"];

async function sources() {
  const all = await readdir(source, { recursive: true });
  return all
    .filter((name) => !name.startsWith("dist"))
    .filter((name) => [...code, ...copied].some((ending) => name.endsWith(ending)))
    .map((name) => join("static", name))
    .sort();
}

const settings = {
  absWorkingDir: root,
  outbase: "static",
  outdir: dist,
  bundle: true,
  format: "esm",
  splitting: true,
  minify: true,
  metafile: true,
  write: false,
  charset: "utf8",
  logLevel: "warning",
  // The oldest kernels still met inside WeChat.
  target: ["chrome86", "safari15"],
  publicPath: "/static/dist/",
  entryNames: "[dir]/[name]-[hash]",
  chunkNames: "chunks/[name]-[hash]",
  assetNames: "assets/[name]-[hash]",
  loader: { ".wasm": "file", ...Object.fromEntries(copied.map((ending) => [ending, "copy"])) },
};

function partsOf(metafile) {
  const parts = new Set();
  for (const [importer, { imports }] of Object.entries(metafile.inputs)) {
    for (const { path } of imports) {
      if (path !== importer && code.some((ending) => path.endsWith(ending))) parts.add(path);
    }
  }
  return parts;
}

async function build() {
  const all = await sources();
  const parts = partsOf((await esbuild.build({ ...settings, entryPoints: all })).metafile);
  const entryPoints = all.filter((name) => !parts.has(name));
  const { metafile, outputFiles } = await esbuild.build({ ...settings, entryPoints });

  const manifest = {};
  for (const [output, { entryPoint }] of Object.entries(metafile.outputs)) {
    if (entryPoint) manifest[relative("static", entryPoint)] = relative("static/dist", output);
  }
  for (const { path, contents } of outputFiles) {
    if (existsSync(path)) continue;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, contents);
  }

  const kept = await copyFonts();
  const fresh = join(dist, "manifest.json.new");
  await mkdir(dist, { recursive: true });
  await writeFile(fresh, JSON.stringify(Object.fromEntries(Object.entries(manifest).sort()), null, 1) + "\n");
  await rename(fresh, join(dist, "manifest.json"));
  await clear(new Set([join(dist, "manifest.json"), ...kept, ...outputFiles.map(({ path }) => resolve(path))]));
}

async function copyFonts() {
  const folder = join(dist, "fonts");
  await mkdir(folder, { recursive: true });
  return Promise.all(
    fonts.map(async (font) => {
      const copy = join(folder, basename(font));
      if (!existsSync(copy)) await copyFile(font, copy);
      return copy;
    }),
  );
}

// Takes away what earlier builds left.
async function clear(current) {
  for (const entry of await readdir(dist, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !current.has(path)) await rm(path);
  }
}

await build();
