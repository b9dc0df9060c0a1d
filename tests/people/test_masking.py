"""What a ledger's own columns say of somebody stands masked by what their headings and values tell."""

import pytest

from outreach.people.rules.masking import masked_beside


@pytest.mark.parametrize(
    ("of", "said", "shown"),
    [
        ("phone", "1990203444", "199****"),
        ("备用电话", "199 0203 4444", "199****"),
        ("微信号", "wxid_lin2026", "wxi****"),
        ("办公电话", "0734-8866123", "073****"),
        ("家庭住址", "雁城市石鼓区江畔路 3 栋 501", "雁城市石鼓区****"),
        ("现住址", "湖南省衡阳市蒸湘区", "湖南省衡阳市蒸湘区****"),
        ("通讯地址", "lin@example.com", "l***@example.com"),
        ("identity_number", "431399197904230240", "****40"),
        ("护照号", "E12345678", "****78"),
        ("birth", "1979-04-24", "1979-**"),
        ("出生年月", "1979年4月24日", "1979-**"),
        ("出生日期", "19790424", "****"),
        ("备注", "爱人电话１９９０２０３４４４４，可加微信", "爱人电话１９９****，可加微信"),
        ("备注", "邮箱 lin.zhiyao@example.com", "邮箱 l***@example.com"),
        ("到岗时间", "2024-03-15", "2024-03-15"),
        ("工作年限", "2018-2024", "2018-2024"),
        ("课题", "国家重点研发 2023 专项，经费 300 万", "国家重点研发 2023 专项，经费 300 万"),
        ("爱好", "书法，足球", "书法，足球"),
    ],
)
def test_what_exposes_somebody_is_masked_and_nothing_else(of, said, shown):
    assert masked_beside(of, said) == shown
