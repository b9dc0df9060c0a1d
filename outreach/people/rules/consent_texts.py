"""What people are asked to agree to, by purpose, in each language. A text that changes gets a new version.

Purposes: "registration" (an event), "request" (诉求), "guardian" (a child under 14). Chinese is the text that counts;
English is a translation.
The duty to name who processes what, why, how long and with what rights: PIPL, articles 7, 14, 17 and 44 to 47.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ConsentDraft:
    """One version of one text; personal data given under it are kept so many months after the matter is over."""

    purpose: str
    version: int
    language: str
    kept_months: int
    text: str


CONSENT_TEXTS = (
    ConsentDraft(
        purpose="guardian",
        version=1,
        language="zh_Hans_CN",
        kept_months=24,
        text=(
            "您是这位不满十四周岁孩子的监护人，现在用您自己的手机为孩子报名。孩子的姓名、出生日期和您的姓名、手机号，"
            "只用来办这次活动：给孩子留位置、确认年龄、有事时联系您。能看到的是主办单位和协办单位的经办人员，"
            "看完整号码会留下记录。\n"
            "我们不收身份证、户口本的照片或复印件。信息保存到活动结束后 24 个月，到期删除或去掉姓名只留人数。"
            "您随时可以在“我的”里查看、更正、导出、撤回同意。\n"
            "不同意也没关系，只是孩子这次没法参加报名。"
        ),
    ),
    ConsentDraft(
        purpose="guardian",
        version=1,
        language="en",
        kept_months=24,
        text=(
            "You are the guardian of this child under 14 and register the child with your own telephone. The child's "
            "name and date of birth and your name and number are used for this event only: to keep a place, to check "
            "the age, and to reach you. The staff of the organising and co-hosting offices can see them; seeing a full "
            "number is recorded.\n"
            "We take no pictures or copies of identity papers. The data are kept for 24 months after the event, then "
            "deleted or reduced to counts. Under “Me” you can see, correct, export and withdraw at any time.\n"
            "You need not agree; only then the child cannot be registered. The Chinese text is the one that counts."
        ),
    ),
    ConsentDraft(
        purpose="registration",
        version=1,
        language="zh_Hans_CN",
        kept_months=24,
        text=(
            "您留下的姓名、手机号（或邮箱）和报名信息，只用来办这次活动：给您留位置、发票、通知变动、现场签到，"
            "活动结束后请您提意见。能看到的是主办单位和协办单位的经办人员，看完整号码会留下记录。\n"
            "信息保存到活动结束后 24 个月，到期删除或去掉姓名只留人数。您随时可以在“我的”里查看、更正、导出、"
            "撤回同意；撤回后我们停止使用并删除，已经发生的签到只留不含姓名的记录。\n"
            "不同意也没关系，只是这次没法给您留位置。"
        ),
    ),
    ConsentDraft(
        purpose="registration",
        version=1,
        language="en",
        kept_months=24,
        text=(
            "Your name, your mobile number (or e-mail) and what you enter here are used for this event only: to keep "
            "your place, send your ticket, tell you of changes, check you in, and ask afterwards how it was. The staff "
            "of the organising and co-hosting offices can see them; seeing a full number is recorded.\n"
            "They are kept for 24 months after the event, then deleted or reduced to counts. Under “Me” you can see, "
            "correct, export and withdraw at any time; after that we stop using and delete them, and of a check-in "
            "only a record without your name remains.\n"
            "You need not agree; only then we cannot keep a place for you. The Chinese text is the one that counts."
        ),
    ),
    ConsentDraft(
        purpose="request",
        version=1,
        language="zh_Hans_CN",
        kept_months=36,
        text=(
            "您说的这件事会交给承办单位办理，所以承办单位的经办人会看到您的姓名、联系方式和您写的内容，"
            "只用来办这件事和给您回话，看完整号码会留下记录。\n"
            "信息保存到办结后 36 个月，到期删除或去掉姓名。您随时可以查看进展、补充、更正、撤回；"
            "撤回后这件事停办，留下一条不含姓名和内容的记录。\n"
            "请不要写身份证号、银行卡号和别人的隐私，办事需要时经办人会当面核对。"
        ),
    ),
    ConsentDraft(
        purpose="request",
        version=1,
        language="en",
        kept_months=36,
        text=(
            "What you ask goes to the office that handles it, so its staff see your name, your contact and what you "
            "wrote, to handle it and answer you and for nothing else; seeing a full number is recorded.\n"
            "It is kept for 36 months after the matter is closed, then deleted or stripped of your name. You can "
            "follow, add to, correct and withdraw it at any time; once withdrawn it is no longer handled, and a record "
            "without name or content remains.\n"
            "Please write no identity or bank card numbers and nothing private of others. The Chinese text is the one "
            "that counts."
        ),
    ),
)
