from django.utils.translation import gettext_lazy as _

from moderation.models.action import Action
from moderation.models.moderated import Moderated
from moderation.models.queue import QUEUE
from moderation.rules import REASON_LENGTH, clean_reason


class Reviewed(Moderated):
    """A ``Moderated`` that may have to wait for review before anybody else sees it: comments.

    Its manager has ``waiting()``. It has a ``changed`` tick, a ``state``, of which WAITING and REJECTED are two, an
    ``akismet_type`` (str), and ``untell()``, which takes back what people were told of it.
    """

    class Meta:
        abstract = True

    def approve(self, by):
        """Show what waits or was rejected, at its place: its birth in the stream."""
        self.require_moderated_by(by)
        with self.change_of_thread() as now:
            if not self.is_waiting and not self.is_rejected:
                return now.undo()
            now.lock(QUEUE)
            self.lock_people_concerned()
            self.put_back()
            self.record(by, Action.Kind.APPROVED)

    def reject(self, by, reason):
        """Show what waits to nobody, neither its author, for a ``reason`` (str)."""
        self.require_moderated_by(by)
        reason = clean_reason(reason, _("Say why you reject it."))
        with self.change_of_thread() as now:
            if not self.is_waiting:
                return now.undo()
            self._reject(now, by, reason)

    def _reject(self, now, by, reason):
        self.leave_queue(now, by)
        self.lock_people_concerned()
        self.state, self.removed_by, self.reason = self.State.REJECTED, by, reason
        self.save()  # though nobody else knew of it, its author's pages, and moderators', show it
        self.withdraw_notifications()
        self.record(by, Action.Kind.REJECTED, reason)

    def _remove(self, now, by, reason):
        """Others than its author do not remove what waits, but reject it."""
        if self.is_waiting and by.pk != self.author_id:
            self._reject(now, by, reason)
        else:
            super()._remove(now, by, reason)

    def hold_for_review(self, action):
        """Keep it, unseen, for what the ``action`` (not saved) says; in the caller's transaction. → it"""
        rejected = action.kind == Action.Kind.REJECTED
        self.state = self.State.REJECTED if rejected else self.State.WAITING
        self.save()
        action.target, action.reason = self, action.reason[:REASON_LENGTH]
        action.save()
        return self

    @property
    def is_waiting(self):
        return self.state == self.State.WAITING

    @property
    def is_rejected(self):
        return self.state == self.State.REJECTED
