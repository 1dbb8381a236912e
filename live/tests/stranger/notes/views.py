from django.contrib.auth import login
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

from live.streams import cursors
from live.ticks import tick
from notes.models import Note, Notebook, User


@csrf_exempt
def enter(request, name):
    user, _ = User.objects.get_or_create(username=name, defaults={"is_staff": True})
    login(request, user)
    return HttpResponse(user.pk)


@csrf_exempt
def leave(request, name):
    User.objects.filter(username=name).update(is_staff=False)
    return HttpResponse()


@csrf_exempt
def notes(request):
    notebook, _ = Notebook.objects.get_or_create(name="the-first")
    if request.method == "POST":
        with transaction.atomic():
            [now] = tick(notebook)
            note = Note(notebook=notebook, author=request.user, text=request.POST["text"])
            note.stamp(now)
            note.save()
    live = cursors(notebook)
    return render(request, "notes/notes.html", {"live": live, "notes": notebook.note_set.order_by("pk")})
