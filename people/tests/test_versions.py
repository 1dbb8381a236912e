"""Two edits of one thing: what differs is told, and what was not touched stays."""

import pytest
from django import forms
from django.http import QueryDict

from live.testing import grows_as_its_input
from people.models import Person
from people.tests.browsers import Browser
from people.tests.forms import form_of
from people.versioned_forms import EditForm, VersionedForm, opened
from people.versions import Conflict, check, differences, version


class ProfileForm(VersionedForm):
    class Meta:
        model = Person
        fields = ["display_name", "bio", "appear_offline", "date_joined"]


class TextForm(EditForm):
    body = forms.CharField(widget=forms.Textarea)


def sent(**values):
    data = QueryDict(mutable=True)
    data.update({"appear_offline": "", "display_name": "", "bio": "", "date_joined": "2026-11-25 12:00:00"} | values)
    return data


def page(person):
    """What the form of ``person`` sends if nothing is typed into it."""
    form = ProfileForm(instance=person)
    return {name: form[name].value() for name in ("display_name", "bio", "versions")} | {
        "date_joined": person.date_joined.strftime("%Y-%m-%d %H:%M:%S")
    }


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("The tide is out", "The tide is in", [("same", "The tide is "), ("removed", "out"), ("new", "in")]),
        ("", "New", [("new", "New")]),
        ("Old", "", [("removed", "Old")]),
        ("潮水退了", "潮水涨了", [("same", "潮水"), ("removed", "退"), ("new", "涨"), ("same", "了")]),
        ("same", "same", [("same", "same")]),
        ("aaa aaa", "aaa", [("same", "aaa"), ("removed", " aaa")]),
    ],
)
def test_what_differs_is_shown_by_words(before, after, expected):
    assert list(differences(before, after)) == expected


def test_what_is_the_same_for_long_is_cut_and_lines_are_compared_where_much_differs():
    [(first, before), *_, (last, after)] = list(
        differences("a " * 500 + "x" + " b" * 500, "a " * 500 + "y" + " b" * 500)
    )
    assert first == last == "same" and "…" in before + after and len(before + after) < 500
    texts = ("".join(f"{n} {word}\n" for n in range(400)) for word in ("old", "new"))
    assert {kind for kind, _ in differences(*texts)} == {"removed", "new"}


@pytest.mark.parametrize("unit", ["a ", "ab", "\n", "潮"])
def test_long_texts_cost_what_their_length_does(unit):
    def compare(text):
        return list(differences(text, text[::-1] + "x"))

    assert grows_as_its_input(compare, unit * 2_000, unit * 20_000)


def test_a_version_is_the_same_after_a_browser_had_the_text():
    assert version("one\ntwo ") == version("one\r\ntwo") != version("one two")
    check("one", version("one"))
    check("one", "")
    with pytest.raises(Conflict):
        check("two", version("one"))


def test_a_conflict_shows_the_stored_text_and_sent_again_it_replaces_it():
    data = QueryDict(mutable=True)
    data.update({"body": "mine", "version": opened("before")["version"]})
    form = TextForm(data)
    assert form.is_valid()
    form.refuse(Conflict("theirs"))
    assert (form.conflict.stored, form.conflict.sent) == ("theirs", "mine")
    check("theirs", form["version"].value())


def test_fields_that_were_not_touched_stay_as_others_left_them(bob):
    first, second = page(bob), page(bob)
    assert ProfileForm(sent(**first | {"bio": "From the phone"}), instance=bob).save()
    bob = Person.objects.get(pk=bob.pk)
    form = ProfileForm(sent(**second | {"display_name": "Bobby"}), instance=bob)
    assert form.is_valid(), form.errors
    assert form.changed_data == ["display_name"]
    form.save()
    bob.refresh_from_db()
    assert (bob.bio, bob.display_name) == ("From the phone", "Bobby")


def test_the_field_that_both_touched_is_refused_with_both_texts(bob):
    before = page(bob)
    bob.bio = "The tide is <out>"
    bob.save()
    mine = before | {"bio": "The tide is in", "display_name": "Bobby"}
    form = ProfileForm(sent(**mine), instance=Person.objects.get(pk=bob.pk))
    assert not form.is_valid() and list(form.errors) == ["bio"]
    html = str(form.errors["bio"])
    assert "The tide is &lt;out&gt;" in html and "<ins>in</ins>" in html and form["bio"].value() == "The tide is in"

    again = mine | {"versions": form["versions"].value()}
    form = ProfileForm(sent(**again), instance=Person.objects.get(pk=bob.pk))
    assert form.is_valid()
    theirs = ProfileForm(
        sent(**again | {"theirs": "bio", "versions": before["versions"]}), instance=Person.objects.get(pk=bob.pk)
    )
    assert theirs.is_valid()
    theirs.save()
    bob.refresh_from_db()
    assert (bob.bio, bob.display_name) == ("The tide is <out>", "Bobby")
    form.save()
    bob.refresh_from_db()
    assert bob.bio == "The tide is in"


def test_the_same_saved_twice_is_no_conflict(bob):
    mine = page(bob) | {"bio": "Once"}
    for _ in range(2):
        form = ProfileForm(sent(**mine), instance=Person.objects.get(pk=bob.pk))
        assert form.is_valid()
        form.save()


def test_a_profile_open_in_two_tabs_loses_nothing(bob):
    laptop, phone = Browser(bob), Browser(bob)
    here, there = (form_of(browser.get("/accounts/profile/"), "bio") for browser in (laptop, phone))
    assert laptop.post("/accounts/profile/", here | {"bio": "From the laptop"}).status_code == 302
    assert phone.post("/accounts/profile/", there | {"display_name": "Bobby"}).status_code == 302
    bob.refresh_from_db()
    assert (bob.bio, bob.display_name) == ("From the laptop", "Bobby")
    answer = phone.post("/accounts/profile/", there | {"bio": "From the phone"})
    html = answer.content.decode()
    assert answer.status_code == 409 and "From the laptop" in html and "From the phone</textarea>" in html
    bob.refresh_from_db()
    assert bob.bio == "From the laptop"
    again = form_of(answer, "bio")
    assert phone.post("/accounts/profile/", again | {"theirs": "bio"}).status_code == 302
    bob.refresh_from_db()
    assert bob.bio == "From the laptop"
    assert phone.post("/accounts/profile/", again).status_code == 302
    bob.refresh_from_db()
    assert bob.bio == "From the phone"


def test_rights_are_not_undone_by_an_old_page_of_the_admins(bob, root):
    admin = Browser(root)
    address = f"/admin/people/person/{bob.pk}/change/"
    first, second = (form_of(admin.get(address), "display_name") for _ in range(2))
    assert admin.post(address, first | {"is_staff": "on"}).status_code == 302
    assert admin.post(address, second | {"bio": "Seen"}).status_code == 302
    bob.refresh_from_db()
    assert bob.is_staff and bob.bio == "Seen"
