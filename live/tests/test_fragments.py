from live import fragments


def test_every_form_names_its_place_and_may_be_applied_twice():
    item = '<li id="a" data-key="1">x</li>'
    assert fragments.upsert(item, "#list", newest_first=True) == (
        f'<hx-upsert hx-target="#list" key="data-key" sort="desc">{item}</hx-upsert>'
    )
    assert 'sort="asc"' in fragments.upsert(item, "#list")
    assert fragments.morph(item, "#a") == f'<hx-partial hx-target="#a" hx-swap="outerMorph">{item}</hx-partial>'
    assert fragments.replace(item, "#a") == f'<hx-partial hx-target="#a" hx-swap="outerHTML">{item}</hx-partial>'
    assert fragments.remove("#a") == '<hx-partial hx-target="#a" hx-swap="delete"></hx-partial>'


def test_text_is_escaped_and_html_is_trimmed_to_its_root():
    assert fragments.text("<b>", "#a") == '<hx-partial hx-target="#a" hx-swap="textContent">&lt;b&gt;</hx-partial>'
    assert fragments.morph("\n <p>x</p>\n", "#a").endswith("><p>x</p></hx-partial>")
