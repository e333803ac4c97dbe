"""Two features for the package `inflection` 0.5.1, and the model's turns that build them, test first.

The package is a port of Ruby on Rails' inflector; `demodulize` and `foreign_key` are there and missing here.
"""

from loop_world import bash, listed, plan, submit

REQUEST = """\
# Two functions of Rails' inflector

Inflection is a port of Rails' inflector, but two of its functions never came along:

1. **demodulize**: takes the modules off a name: `Admin::Product` gives `Product`. Python's own names have
   dots, so `collections.abc.Mapping` should give `Mapping`.
2. **foreign_key** (needs 1): makes the name of a column from the name of a class: `Admin::Product` gives
   `product_id`, and with `False` as the second argument `productid`.

Please add both to the API documentation, too, and leave what the other functions do alone.
"""

_TEST_FILE, _CODE, _DOCS = "test_inflection.py", "inflection/__init__.py", "docs/index.rst"


def _replace(path, old, new):
    edit = {"command": "str_replace", "path": path, "old_str": old, "new_str": new}
    return {"str_replace_based_edit_tool": edit}


def _documented(name):
    line = ".. autofunction:: humanize\n"
    return _replace(_DOCS, line, f".. autofunction:: {name}\n{line}")


def _appended(text):
    return bash(f"cat >> {_TEST_FILE} <<'TESTS'\n{text}TESTS\n")


def _tests(selection=""):
    return bash(f"python -m pytest -q {selection} | tail -9")


def _turn(*tools, says=None, expect=()):
    return {"text": says, "tools": list(tools), "expect": expect}


_DEMODULIZE_DATA = """\
STRING_TO_DEMODULIZE = (
    ("Product",                 "Product"),
    ("Admin::Product",          "Product"),
    ("::Product",               "Product"),
    ("collections.abc.Mapping", "Mapping"),
    ("MyApp::Admin.Product",    "Product"),
    ("",                        ""),
)


def test_pluralize_plurals():
"""
_DEMODULIZE_TEST = """

@pytest.mark.parametrize(("path", "demodulized"), STRING_TO_DEMODULIZE)
def test_demodulize(path, demodulized):
    assert demodulized == inflection.demodulize(path)
"""
_DEMODULIZE = '''\
def demodulize(path: str) -> str:
    """
    Remove the modules from the expression in the string.

    Examples::

        >>> demodulize("ActiveSupport::Inflector::Inflections")
        'Inflections'
        >>> demodulize("collections.abc.Mapping")
        'Mapping'
        >>> demodulize("Inflections")
        'Inflections'

    """
    return re.split(r"::|\\.", path)[-1]


def humanize(word: str) -> str:
'''
_FOREIGN_KEY_TEST = """

@pytest.mark.parametrize(("class_name", "foreign_key"), CLASS_NAME_TO_FOREIGN_KEY)
def test_foreign_key(class_name, foreign_key):
    assert foreign_key == inflection.foreign_key(class_name)


def test_foreign_key_without_underscore():
    assert "messageid" == inflection.foreign_key("Message", False)
    assert "line_itemid" == inflection.foreign_key("shop.LineItem", False)
"""
_FOREIGN_KEY_DATA = """\
CLASS_NAME_TO_FOREIGN_KEY = (
    ("Person",         "person_id"),
    ("LineItem",       "line_item_id"),
    ("Admin::Product", "product_id"),
    ("shop.LineItem",  "line_item_id"),
)


def test_pluralize_plurals():
"""
_FOREIGN_KEY = '''\
def foreign_key(class_name: str, separate_id: bool = True) -> str:
    """
    Create the name of a foreign key from the name of a class.

    Examples::

        >>> foreign_key("Message")
        'message_id'
        >>> foreign_key("Message", False)
        'messageid'
        >>> foreign_key("Admin::Post")
        'post_id'

    :param separate_id: whether there is an underscore before ``id``.
    """
    return underscore(demodulize(class_name)) + ("_id" if separate_id else "id")


def humanize(word: str) -> str:
'''
_HUMANIZE = "def humanize(word: str) -> str:\n"
_FIRST_TEST = "def test_pluralize_plurals():\n"
_LOWERED = '    word = word.replace("-", "_")\n    return word.lower()\n'
_CLEANED = '    word = re.sub(r"[^A-Za-z0-9]+", "_", word).strip("_")\n    return word.lower()\n'


DEMODULIZE = listed(
    "demodulize",
    description="demodulize() takes the modules off a name, Ruby's and Python's",
    steps=["demodulize('Admin::Product') is 'Product'", "demodulize('collections.abc.Mapping') is 'Mapping'"],
)
FOREIGN_KEY = listed(
    "foreign-key",
    description="foreign_key() makes the name of a column from the name of a class",
    steps=["foreign_key('Admin::Product') is 'product_id'", "with False as second argument 'productid'"],
    priority=2,
    depends_on=["demodulize"],
)
PLANNER = [
    {
        "turns": [
            _turn(
                bash(f"ls; grep -n '^def ' {_CODE}"),
                _tests(),
                says="I look at the package and its tests before I cut the wishes into features.",
            ),
            *plan(DEMODULIZE, FOREIGN_KEY)[0]["turns"],
        ]
    }
]

_SUBMITTED = (f"{_TEST_FILE}::test_foreign_key", f"{_TEST_FILE}::test_foreign_key_without_underscore")
FEATURES = {
    "demodulize": [
        {
            "turns": [
                _turn(bash(f"tail -30 {_TEST_FILE}"), says="How do its tests look?"),
                _turn(
                    _replace(_TEST_FILE, _FIRST_TEST, _DEMODULIZE_DATA),
                    _appended(_DEMODULIZE_TEST),
                    says="Tables of pairs, a parametrized test for each. The test first, in that manner.",
                    expect="parametrize",
                ),
                _turn(_tests("-k demodulize")),
                _turn(
                    _replace(_CODE, _HUMANIZE, _DEMODULIZE),
                    _documented("demodulize"),
                    says="Red, as it should be. Now the function, among its neighbours in the alphabet.",
                    expect="6 failed",
                ),
                _turn(_tests()),
                _turn(submit("demodulize", f"{_TEST_FILE}::test_demodulize"), expect="461 passed"),
            ]
        }
    ],
    "foreign-key": [
        {
            "turns": [
                _turn(bash(f"tail -24 {_CODE}; tail -6 {_TEST_FILE}")),
                _turn(
                    _replace(_TEST_FILE, _FIRST_TEST, _FOREIGN_KEY_DATA),
                    _appended(_FOREIGN_KEY_TEST),
                    expect="test_demodulize",
                ),
                _turn(
                    _replace(_CODE, _HUMANIZE, _FOREIGN_KEY),
                    _replace(_CODE, _LOWERED, _CLEANED),
                    _documented("foreign_key"),
                    says="A class name may hold anything, so underscore() had better clean it all away.",
                ),
                _turn(_tests("-k foreign_key")),
                _turn(submit("foreign-key", *_SUBMITTED), expect="5 passed"),
                _turn(
                    _replace(_CODE, _CLEANED, _LOWERED),
                    says="Titles and tables rest on what underscore() leaves alone; demodulize() is enough.",
                    expect=["test_titleize[david's code", "test_tableize[_RecipeIngredient"],
                ),
                _turn(_tests()),
                _turn(submit("foreign-key", *_SUBMITTED), expect="466 passed"),
            ]
        }
    ],
}
