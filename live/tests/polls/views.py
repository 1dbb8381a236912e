from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

import live
from live.tests.polls.models import Option, Poll


def poll(request, pk):
    return live.page(request, "polls/poll.html", shows=[get_object_or_404(Poll, pk=pk)])


@require_POST
def vote(request, pk):
    option = get_object_or_404(Option, pk=pk)
    with option.change():
        option.votes += 1
        option.save()
    return live.answer(request, option.poll)
