import live
from live.tests.polls.models import Poll


@live.register(Poll)
class PollStream(live.Stream):
    public = True
    lists = [live.ItemList("options", into="#options", template="polls/option.html")]
