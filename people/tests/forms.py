"""A form of a page as a browser sends it."""

from html.parser import HTMLParser


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.forms, self.area, self.select = [], None, None

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "form":
            self.forms.append((attributes, {}))
        if not self.forms:
            return
        fields = self.forms[-1][1]
        match tag, attributes.get("type", "text"):
            case "input", "checkbox" | "radio":
                if "checked" in attributes:
                    fields.setdefault(attributes["name"], []).append(attributes.get("value", "on"))
            case "input", "submit" | "file" | "button" | "image":
                pass
            case "input", _:
                if "name" in attributes:
                    fields.setdefault(attributes["name"], []).append(attributes.get("value") or "")
            case "textarea", _:
                self.area = fields.setdefault(attributes["name"], []) if "name" in attributes else []
                self.area.append("")
            case "select", _:
                self.select = fields.setdefault(attributes["name"], []) if "name" in attributes else None
            case "option", _:
                if "selected" in attributes and self.select is not None:
                    self.select.append(attributes.get("value", ""))

    def handle_endtag(self, tag):
        if tag == "textarea":
            self.area[-1] = self.area[-1].removeprefix("\n").replace("\n", "\r\n")  # as browsers send it
            self.area = None
        elif tag == "select":
            self.select = None

    def handle_data(self, data):
        if self.area is not None:
            self.area[-1] += data


def form_of(answer, field):
    """What the form that has a ``field`` (str) would send as it stands in ``answer``: dict of name to list of str."""
    reader = Reader()
    reader.feed(answer.content.decode())
    return next(fields for _, fields in reader.forms if field in fields)
