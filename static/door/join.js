// Without HTTPS a browser gives no camera: said at joining, not at the first guest.

if (!window.isSecureContext) document.querySelector("[data-insecure]").hidden = false;
