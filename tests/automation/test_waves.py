"""How many stacks each wave has."""

import pytest

from automation.waves import divide, sizes


@pytest.mark.parametrize(
    ("text", "total", "expected"),
    [
        ("1,10%,rest", 20, [1, 2, 17]),
        ("1,10%,rest", 4, [1, 1, 2]),
        ("50%,rest", 4, [2, 2]),
        ("3,3,rest", 4, [3, 1]),
        ("100%,rest", 4, [4]),
        (" 1 , rest", 2, [1, 1]),
        ("rest", 4, [4]),
    ],
)
def test_waves_are_counted(text: str, total: int, expected: list[int]) -> None:
    """Per cent are of all selected stacks, rounded up; no wave is empty."""
    assert sizes(text, total) == expected


@pytest.mark.parametrize(
    "text", ["1,10%", "", "rest,1", "0,rest", "101%,rest", "-1,rest", "a,rest", "1,,rest", "²,rest"]
)
def test_what_is_no_list_of_waves_is_refused(text: str) -> None:
    """Before anything is begun."""
    with pytest.raises(ValueError, match=r"the last wave must be|is neither a number"):
        sizes(text, 4)


def test_prerequisites_are_in_the_same_wave_or_an_earlier_one() -> None:
    """The stacks' order, which has prerequisites first, is kept."""
    assert divide(["platform", "crystal", "nodejs", "frontend"], "1,rest") == [
        ["platform"],
        ["crystal", "nodejs", "frontend"],
    ]
    assert divide(["platform", "crystal"], "") == [["platform", "crystal"]]
