import pytest

from pehchan.distance.fold import fold


def test_case():
    assert fold(["José", "STRASSE", "Straße"], ("case",)) == ["josé", "strasse", "strasse"]


def test_accents():
    assert fold(["José", "Jose\u0301", "Zoë", "ﬁn", "Ångström"], ("accents",)) == [
        "Jose",
        "Jose",
        "Zoe",
        "fin",
        "Angstrom",
    ]


def test_both_in_any_order_and_none():
    assert fold(["ÉCOLE"], ("accents", "case")) == fold(["ÉCOLE"], ("case", "accents")) == ["ecole"]
    assert fold(["ÉCOLE"], ()) == ["ÉCOLE"]


def test_another_fold_is_refused():
    with pytest.raises(ValueError, match=r'unknown fold "blanks"\. Known: case, accents'):
        fold(["a"], ("blanks",))
