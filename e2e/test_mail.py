"""Mails go out by themselves, from every process, and no mail server holds up the pages."""

from datetime import timedelta

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import F

from harness.mail import MailServer
from harness.servers import manage
from harness.site import HASTE, Site
from inbox.models import EmailDigest, Notification, notify
from live.testing import PATIENCE, Page, until
from posts.models import Post


def tell_of_a_post(site, number):
    """``number`` (int) people are told that alice published, ten minutes ago. → the post"""
    alice = site.account("alice")
    people = [site.account(f"reader{n}") for n in range(number)]
    with site.orm():
        post = Post(author=alice, title="A day at the sea", body="The tide is out.")
        post.publish()
        addresses = [EmailAddress(user=one, email=one.email, verified=True, primary=True) for one in people]
        EmailAddress.objects.bulk_create(addresses)
        with transaction.atomic():
            notify(Notification.Kind.POST, people, thread=post, source=post, by=alice)
        Notification.objects.update(mail_at=F("mail_at") - timedelta(minutes=10))
    return post


def test_a_site_mails_by_itself_and_a_mail_server_that_is_silent_does_not_stop_its_pages(sites):
    with MailServer() as mails:
        mails.silent = True
        site = sites(EMAIL_URL=mails.url, changed={"EMAIL_TIMEOUT": PATIENCE})
        tell_of_a_post(site, 2)
        until(lambda: mails.mails)
        with Page(f"{site.url}/").connect() as page, site.orm():
            late = Post(author=Post.objects.get().author, title="Told while the mail server sleeps", body="Zzz")
            late.publish()  # nothing rings from here: the page hears of it by the heartbeat
            page.hear("Told while the mail server sleeps")
        assert len(mails.mails) == 1
        mails.silent = False
        until(lambda: len(mails.mails) == 2)
        with site.orm():
            until(lambda: not EmailDigest.objects.filter(due_at__isnull=False).exists())
        assert sorted(mails.addressees) == ["reader0@parley.example", "reader1@parley.example"]
        assert f"{site.url}/posts/" in mails.mails[0].get_body(("plain",)).get_content()


def test_processes_on_one_postgresql_send_each_letter_once(tmp_path, redis_server, postgres_server):
    with postgres_server.migrated() as database_url, MailServer() as mails:
        shared = database_url, redis_server.url
        both = [Site(tmp_path, *shared, "uvicorn", EMAIL_URL=mails.url, **HASTE) for _ in range(2)]
        tell_of_a_post(both[0], 40)
        with both[0], both[1]:
            manage("send_mail_due", DATABASE_URL=database_url, EMAIL_URL=mails.url)
            with both[0].orm():
                until(lambda: not EmailDigest.is_any_due() and len(mails.mails) >= 40)
        assert sorted(mails.addressees) == sorted(f"reader{n}@parley.example" for n in range(40))
