"""Who and what is in the city of the demo. Everybody and everything here is made up."""

from dataclasses import dataclass

from outreach.cases.rules.answers import AnswerKind
from outreach.cases.rules.asking import Topic
from outreach.events.rules import Direction, EventKind, EventMode
from outreach.organisations.rules import OrganisationKind, Role
from outreach.programmes.rules import Motif

CITY = "雁城市"
PASSWORD = "yan-lai-2026"  # noqa: S105 -- the demo prints it; it opens nothing else
NUMBERS = "+86199020{:05d}"
"""Numbers of a range that is not given out."""

SURNAMES = "林沈温宋许程陈彭罗邓何秦顾方唐贺江周梁魏叶苏郑蒋曾谢卢潘汪石龙欧易向黎贾阳段柳"
GIVEN = (
    "知遥 亦凡 如许 时雨 望舒 屿 雨禾 一鸣 思远 清越 牧之 南枝 予安 晚晴 兰亭 映雪 启明 令仪 砚秋 嘉树 "
    "怀瑾 若水 景行 书瑶 明哲 婉宁 致远 云舒 子衿 星河 听澜 承宇 静姝 浩然 可心 宇轩 梓涵 雪松 海棠 文博 "
    "立夏 小满 谷雨 白露 青野 长风 念慈 采薇 初阳 鹤鸣 䶮 𬭎 亚楠 建军 国梁 丽娜 晓峰 春燕 志强 美玲"
).split()

EMPLOYERS = (
    "一航新材 清江生物 松山制药 云岭光电 衡岳重工 湘潮数据 石鼓医疗 来雁机器人 蒸水环保 珠晖轨道 "
    "回雁智能 船山电气 市第一医院 雁城理工学院 雁城大学 岣嵝农业 雁峰轻工 合江新能源"
).split()
SCHOOLS = [
    "雁城大学",
    "雁城理工学院",
    "湘水大学",
    "岳麓工业大学",
    "江南理工大学",
    "北方交通大学",
    "Northfield University",
]
HOME_TOWNS = ["雁城市清江县", "雁城市石鼓区", "雁城市高新区", "湖南长沙", "湖北武汉", "广东佛山", "江苏无锡"]
AWAY = {
    "雁城市清江县": ("广东深圳", "鹏湾芯片设计公司"),
    "雁城市石鼓区": ("湖南长沙", "麓山医学检验所"),
    "雁城市高新区": ("上海市浦东新区", "浦江生物制药公司"),
}
LOOKS = [
    ("admin", 0, "核对 11 月 28 日沙龙的签到名单"),
    ("organiser", 0, "电话确认明天走访的时间"),
    ("organiser", 40, "通知候补转正"),
]
FIELDS = "材料科学与工程 生物医药 智能制造 光伏 轨道交通 计算机科学与技术 临床医学 化学工程 农学 电气工程 应用数学 陶瓷工艺".split()


@dataclass(frozen=True)
class Unit:
    """One organisation of the demo."""

    name: str
    short: str
    kind: OrganisationKind


UNITS = (
    Unit("雁城市教育局", "市教育局", OrganisationKind.DEPARTMENT),
    Unit("雁城市住房和城乡建设局", "市住建局", OrganisationKind.DEPARTMENT),
    Unit("雁城市人力资源和社会保障局", "市人社局", OrganisationKind.DEPARTMENT),
    Unit("雁城市科学技术局", "市科技局", OrganisationKind.DEPARTMENT),
    Unit("雁城市公安局", "市公安局", OrganisationKind.DEPARTMENT),
    Unit("雁城市卫生健康委员会", "市卫健委", OrganisationKind.DEPARTMENT),
    Unit("雁城市金融工作办公室", "市金融办", OrganisationKind.DEPARTMENT),
    Unit("共青团雁城市委员会", "团市委", OrganisationKind.MASS),
    Unit("石鼓区委人才办", "石鼓区", OrganisationKind.AREA),
    Unit("清江县委人才办", "清江县", OrganisationKind.AREA),
    Unit("高新技术产业开发区管委会", "高新区", OrganisationKind.PARK),
    Unit("雁城理工学院人才工作站", "雁城理工", OrganisationKind.SCHOOL),
)
LEAD = Unit("中共雁城市委人才工作领导小组办公室", "市委人才办", OrganisationKind.LEAD)


@dataclass(frozen=True)
class Clerk:
    """One account of the demo; `username` is what the demo prints."""

    name: str
    username: str
    unit: str
    position: str
    roles: tuple[Role, ...]


CLERKS = (
    Clerk("何清越", "admin", "市委人才办", "综合科科长", (Role.ADMINISTRATOR, Role.ORGANISER)),
    Clerk("陈舒", "organiser", "市委人才办", "活动专员", (Role.ORGANISER,)),
    Clerk("顾南枝", "supervisor", "市委人才办", "督查专员", (Role.SUPERVISOR,)),
    Clerk("周启明", "leader", "市委人才办", "副市长", (Role.LEADER,)),
    Clerk("方予安", "liaison", "市委人才办", "市政府办秘书", (Role.LIAISON_OFFICER,)),
    Clerk("梁景行", "leader2", "市委人才办", "市委常委、组织部部长", (Role.LEADER,)),
    Clerk("唐书瑶", "liaison2", "市委人才办", "组织部干部", (Role.LIAISON_OFFICER,)),
    Clerk("秦牧之", "education", "市教育局", "基教科科长", (Role.HANDLER,)),
    Clerk("罗可心", "education2", "市教育局", "基教科干部", (Role.DEPUTY_HANDLER,)),
    Clerk("邓明哲", "housing", "市住建局", "住保科副科长", (Role.HANDLER,)),
    Clerk("许静姝", "labour", "市人社局", "人才科科长", (Role.HANDLER,)),
    Clerk("贺兰亭", "science", "市科技局", "成果科科长", (Role.HANDLER,)),
    Clerk("石承宇", "police", "市公安局", "户政科民警", (Role.HANDLER,)),
    Clerk("唐晚晴", "health", "市卫健委", "医政科科长", (Role.HANDLER,)),
    Clerk("易文博", "finance", "市金融办", "银行科科长", (Role.HANDLER,)),
    Clerk("江映雪", "league", "团市委", "青年发展部部长", (Role.ORGANISER,)),
    Clerk("卢怀瑾", "approver", "团市委", "副书记", (Role.APPROVER,)),
    Clerk("江远帆", "envoy", "雁城理工", "校友会秘书、引才大使", (Role.AMBASSADOR,)),
    Clerk("程砚秋", "county", "清江县", "人才办主任", (Role.ORGANISER,)),
    Clerk("向致远", "park", "高新区", "人才服务专员", (Role.SERVICE_OFFICER,)),
)

ROUTES: dict[Topic, str] = {
    Topic.HOUSING: "市住建局",
    Topic.RESIDENCE: "市公安局",
    Topic.SCHOOLING: "市教育局",
    Topic.SPOUSE: "市人社局",
    Topic.MEDICAL: "市卫健委",
    Topic.INSURANCE: "市人社局",
    Topic.PROJECT: "市科技局",
    Topic.FINANCE: "市金融办",
    Topic.PLATFORM: "市科技局",
    Topic.HIRING: "市人社局",
}

PROGRAMMES = (
    ("人才会客厅", "每月第一个周五，请做事的人坐下来聊一聊。", Motif.LOUNGE),
    ("引才长征", "一座城、一所校，把雁城的岗位送到校门口。", Motif.MARCH),
    ("春风送岗", "岗位进校园、进社区，当面谈、当场投。", Motif.RIVER),
)

VENUES = (
    ("雁城市人才会客厅", "江畔路 18 号老厂房 2 号楼", "地铁江畔站 3 号口步行 6 分钟；门前可停车 40 辆"),
    ("青年之家", "解放大道 66 号", "公交 K7 路青年之家站下"),
    ("雁城会展中心 B 馆", "湘水大道 9 号", "地铁会展中心站；P2 停车场到 B 馆最近"),
)


@dataclass(frozen=True)
class Show:
    """One event of the demo, some days from today, in office time."""

    days: int
    hours: tuple[str, str]
    kind: EventKind
    title: str
    subtitle: str | None
    programme: str | None
    venue: int | str
    groups: tuple[tuple[str, str, int, float], ...]  # name, for whom, capacity, how full: 1.2 has a waiting list
    about: str
    mode: EventMode = EventMode.ON_SITE
    direction: Direction = Direction.IN
    ends_days_later: int = 0


SHOWS = (
    Show(
        0,
        ("19:00", "21:00"),
        EventKind.SALON,
        "夜里十点的实验室",
        "青年博士夜谈",
        "人才会客厅",
        0,
        (("博士", "已取得博士学位，任何专业", 20, 0.9), ("企业代表", "每家 2 位", 10, 0.8)),
        "为什么灯总是亮到十点。四位青年博士讲一讲做不下去的那一天，是谁拉了一把。\n\n不录音，不发稿，讲完一起吃碗粉。",
    ),
    Show(
        7,
        ("19:00", "21:00"),
        EventKind.SALON,
        "把实验室搬进老厂房",
        "新材料青年夜谈",
        "人才会客厅",
        0,
        (
            ("博士", "已取得博士学位，任何专业", 20, 0.7),
            ("企业代表", "新材料相关企业，每家 2 位", 10, 0.8),
            ("在读硕博", "凭学生证入场", 12, 1.3),
        ),
        "一台中试线要多少钱，谁来付第一笔？从高校实验室到老厂房，三位已经走过这条路的人，讲讲各自的账本：设备、场地、第一个客户，"
        "还有最难熬的那个冬天。\n\n前 40 分钟讲，后 80 分钟聊。现场有人社、科技、金融三个部门的同事，能办的当场记下来，回去就办。",
    ),
    Show(
        8,
        ("09:00", "15:00"),
        EventKind.RECRUITMENT_FAIR,
        "春风送岗：雁城理工学院专场",
        None,
        "春风送岗",
        "雁城理工学院体育馆",
        (("应届毕业生", "带简历，不限专业", 400, 0.6), ("社会求职者", "带身份证件", 200, 0.4)),
        "62 家企业、430 个岗位，当面谈、当场投。简历打印、职业测评、政策咨询在馆内二楼。",
        direction=Direction.OUT,
    ),
    Show(
        11,
        ("14:00", "17:30"),
        EventKind.MATCHMAKING,
        "新材料产才对接会",
        "一对一，每次 20 分钟",
        None,
        2,
        (("专家", "材料、化工、机械方向", 30, 0.8), ("企业", "带着难题来", 24, 0.8)),
        "24 家企业列出难题，30 位专家挑题来谈。会前三天发出各自的时间表。",
    ),
    Show(
        13,
        ("18:30", "21:00"),
        EventKind.YOUTH_SOCIAL,
        "青年交友会：江边走一走",
        "龙凤计划",
        None,
        1,
        (("男", "单身，22 到 38 岁", 20, 0.85), ("女", "单身，22 到 38 岁", 20, 1.2)),
        "用号牌不用名字。只有互相选中的两个人才看得到对方的联系方式，活动结束 30 天后全部清除。",
    ),
    Show(
        14,
        ("19:00", "21:00"),
        EventKind.SALON,
        "种子的账",
        "清江县乡村振兴夜谈",
        "人才会客厅",
        "清江县乡村振兴学院",
        (("农业人才", "种植、养殖、农产品加工", 30, 0.5), ("青年", "想回乡做事的人", 20, 0.3)),
        "一粒种子从实验田到餐桌要过几道手，每一道谁赚钱、谁担险。",
    ),
    Show(
        17,
        ("15:00", "17:00"),
        EventKind.RECRUITMENT_FAIR,
        "云聘会：生物医药专场",
        None,
        "春风送岗",
        "线上",
        (("求职者", "随时进直播间", 1000, 0.2),),
        "直播带岗，边看边投。15 家企业的人事在线回答。",
        mode=EventMode.ONLINE,
    ),
    Show(
        20,
        ("08:30", "17:30"),
        EventKind.EXPERT_VISIT,
        "百名博士进清江",
        "第三批",
        None,
        "清江县各镇",
        (("博士", "农学、食品、机械方向", 40, 0.6), ("企业", "提前报送技术需求", 20, 0.7)),
        "分四组下到镇上和车间。每组一位联络员，谈成的事会后一件件跟到底。",
        direction=Direction.OUT,
    ),
    Show(
        24,
        ("09:00", "17:00"),
        EventKind.FORUM,
        "湘水青年科学家论坛",
        "主会场与四个分会场",
        None,
        2,
        (("嘉宾", "凭邀请", 60, 0.7), ("参会者", "高校与企业研发人员", 240, 0.5)),
        "上午主旨报告，下午材料、医药、能源、人工智能四个分会场。",
        mode=EventMode.BOTH,
    ),
    Show(
        27,
        ("09:00", "18:00"),
        EventKind.COMPETITION,
        "创新创业大赛决赛",
        "十进三",
        None,
        0,
        (("观众", "现场投票", 80, 0.4),),
        "十个团队，每队八分钟。去掉一个最高分和一个最低分。",
    ),
    Show(
        31,
        ("14:30", "17:00"),
        EventKind.TRAINING,
        "人才政策怎么用",
        "申报、落户、住房一次讲清",
        None,
        1,
        (("人才", "新来雁城一年内", 60, 0.3), ("人事专员", "每家单位 1 位", 40, 0.4)),
        "三个部门各讲 30 分钟，留 60 分钟答疑。听满可领结业证明。",
    ),
    Show(
        38,
        ("09:00", "12:00"),
        EventKind.STUDY_TOUR,
        "在外人才看家乡",
        "两天一夜",
        None,
        "会展中心集合",
        (("在外人才", "雁城籍，带家属 1 位", 50, 0.5),),
        "看园区、看学校、看老街，晚上在会客厅吃一顿家乡菜。",
        ends_days_later=1,
    ),
    Show(
        45,
        ("15:00", "17:00"),
        EventKind.PRESENTATION,
        "年度人才人物发布会",
        None,
        None,
        2,
        (("受邀嘉宾", "凭邀请", 120, 0.2),),
        "十位今年让人记住的人。",
    ),
    Show(
        -7,
        ("19:00", "21:00"),
        EventKind.SALON,
        "第一笔钱从哪来",
        "天使投资夜谈",
        "人才会客厅",
        0,
        (("创业者", "已注册公司", 16, 1.0), ("投资人", "凭邀请", 8, 1.0)),
        "三位投资人、八个项目，不路演，只聊天。",
    ),
    Show(
        -15,
        ("09:00", "16:00"),
        EventKind.RECRUITMENT_FAIR,
        "引才长征：岳麓工业大学站",
        None,
        "引才长征",
        "岳麓工业大学体育馆",
        (("应届毕业生", "不限专业", 120, 0.95),),
        "38 家企业，210 个岗位。",
        direction=Direction.OUT,
    ),
    Show(
        -16,
        ("09:00", "16:00"),
        EventKind.RECRUITMENT_FAIR,
        "引才长征：湘水大学站",
        None,
        "引才长征",
        "湘水大学图书馆前坪",
        (("应届毕业生", "不限专业", 120, 0.8),),
        "41 家企业，260 个岗位。",
        direction=Direction.OUT,
    ),
    Show(
        -28,
        ("19:00", "21:00"),
        EventKind.SALON,
        "从车间里长出来的博士",
        "企业博士后夜谈",
        "人才会客厅",
        0,
        (("博士", "在站或出站", 20, 0.9), ("企业", "设站单位", 12, 0.8)),
        "出站以后去哪儿，站里那两年算不算工龄。",
    ),
    Show(
        -40,
        ("08:00", "12:00"),
        EventKind.YOUTH_LEAGUE,
        "踏着秋天去送岗",
        "团支部联合行动",
        None,
        "石鼓广场",
        (("团员", "各团支部报名", 60, 0.9),),
        "六个团支部，三条街道，一上午。",
    ),
)


@dataclass(frozen=True)
class Ask:
    """One request of the demo and how far it has come, in days before today."""

    days: int
    topic: Topic
    title: str
    words: str
    reaches: str
    """registered, assigned, returned, disputed, accepted, co_handled, more_time, drafted, replied, contested, closed,
    reopened, unreached or withdrawn"""
    answer: tuple[AnswerKind, str, str | None] | None = None
    says: str | None = None


ASKS = (
    Ask(
        12,
        Topic.PLATFORM,
        "高新区给中试设备“先租后买”出个办法",
        "一条中试线八百万，租又没处租。能不能先租后买，租金抵首付？",
        "accepted",
    ),
    Ask(
        3,
        Topic.SCHOOLING,
        "孩子明年 9 月上小学，希望就近安排公办学校",
        "女儿明年六岁了。我们租在江畔路，听说没有房产证就要排到很后面。我不求名校，只求走路能到。",
        "accepted",
    ),
    Ask(5, Topic.HOUSING, "博士公寓电梯何时装好", "六楼，爱人怀孕七个月。电梯井去年就砌好了，一直没装。", "assigned"),
    Ask(
        2,
        Topic.SPOUSE,
        "爱人是护士，想进市一医院",
        "她在外地三甲做了八年护士，执业证齐全。想知道有没有调入的路子。",
        "accepted",
    ),
    Ask(
        16,
        Topic.RESIDENCE,
        "博士后出站落户材料被退回三次",
        "每次退回说的理由都不一样。到底缺哪一份，能不能一次讲清？",
        "closed",
        (
            AnswerKind.SOLVED,
            "您缺的是出站通知书原件，复印件不行。我们已和户政窗口说好，您带原件来，当天办结，不用再排号。",
            None,
        ),
        "当天就办好了，谢谢。",
    ),
    Ask(
        24,
        Topic.MEDICAL,
        "父母随迁，异地医保报不了",
        "父亲上周住院，结算窗口说备案没生效。",
        "closed",
        (AnswerKind.SOLVED, "备案地选错了，我们已经帮您改好，住院费可以补结算。", None),
        "钱已经退回来了。",
    ),
    Ask(
        30,
        Topic.HOUSING,
        "园区夜间公交能不能延到 23:00",
        "加班到十点半，最后一班 K7 路是 21:40。",
        "closed",
        (AnswerKind.SOLVED, "K7 路从下月 1 日起末班延到 23:00，在云岭光电门口加一站。", None),
        "加班有车坐了。",
    ),
    Ask(
        14,
        Topic.PLATFORM,
        "进口试剂能不能走绿色通道",
        "一批试剂在海关放了 19 天，细胞等不了。",
        "contested",
        (AnswerKind.IN_PROGRESS, "已和海关建了白名单，下一批起 3 个工作日放行。这一批我们在催。", None),
        "能办，但这一批还是要跑两趟海关。",
    ),
    Ask(
        6,
        Topic.FINANCE,
        "扩产要流动资金，人才贷怎么申请",
        "订单排到明年三月，缺 300 万周转。",
        "replied",
        (
            AnswerKind.SOLVED,
            "您符合人才贷条件，额度最高 500 万，银行的客户经理今天下午会给您打电话。材料清单附后。",
            None,
        ),
    ),
    Ask(1, Topic.POLICY, "海外工作年限怎么算进职称", "我在国外企业做了六年研发，评副高时这六年算不算？", "registered"),
    Ask(0, Topic.HIRING, "缺 12 个焊接技师，能不能办个专场", "不是不给钱，是真招不到。", "assigned"),
    Ask(4, Topic.INSURANCE, "社保断了两个月怎么补", "换单位中间断了两个月，影响买房资格吗？", "returned"),
    Ask(
        35,
        Topic.PROJECT,
        "省级项目系统提示单位未备案",
        "离截止只有一周，备案要走谁？",
        "reopened",
        (AnswerKind.SOLVED, "单位备案已通过。", None),
        "系统里还是看不到。",
    ),
    Ask(
        40,
        Topic.MEDICAL,
        "能不能给园区配一个全科医生",
        "三千人的园区，最近的卫生院四公里。",
        "unreached",
        (AnswerKind.IN_PROGRESS, "明年一季度在园区邻里中心设卫生服务站，已经选好址。", None),
    ),
    Ask(
        6,
        Topic.PROJECT,
        "省重点研发计划的配套经费什么时候到",
        "立项书去年底就下来了，单位垫了四十万，再不到账今年的试验就停了。",
        "co_handled",
    ),
    Ask(
        6,
        Topic.SPOUSE,
        "爱人是三甲医院护士，想调到本市",
        "异地三年，孩子跟着我。编制内调动走什么程序、要等多久？",
        "more_time",
    ),
    Ask(
        5,
        Topic.HOUSING,
        "人才公寓合同到期能不能续租一年",
        "新房明年十月才交付，中间差一年。",
        "drafted",
        (
            AnswerKind.SOLVED,
            "可以续租一年，租金标准不变。请 12 月 5 日前带合同到住建局二楼人才窗口办理续签，联系人刘工。",
            None,
        ),
    ),
    Ask(
        5,
        Topic.MEDICAL,
        "体检发现问题，想约省里的专家会诊",
        "本地医院说要转诊单，医保又说归卫健管。",
        "disputed",
    ),
    Ask(18, Topic.RESIDENCE, "集体户口能不能迁到单位", "买房要用。", "withdrawn"),
    Ask(
        22,
        Topic.SCHOOLING,
        "转学手续要跑几个地方",
        "孩子读三年级，想下学期转过来。",
        "closed",
        (AnswerKind.SOLVED, "现在只跑一个地方：把材料交到居住地小学，其余我们内部走。", None),
        "比想象的简单。",
    ),
    Ask(
        28,
        Topic.HOUSING,
        "人才公寓申请两个月没有回音",
        "系统里一直是“审核中”。",
        "closed",
        (
            AnswerKind.IMPOSSIBLE,
            "您名下在石鼓区有一套住房，按规定不能再申请人才公寓；可以改领租房补贴，每月 1,500 元。",
            "《雁城市人才公寓管理办法》第七条",
        ),
        "说清楚就好，补贴已经在领了。",
    ),
    Ask(9, Topic.ADVICE, "建议把人才卡和市民卡合成一张", "两张卡的功能一半重叠，窗口还经常认不出人才卡。", "assigned"),
)
