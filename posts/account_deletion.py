"""What becomes of a person's comments and posts when they close their account.

Posts that were public are the site's as well: they stay under "deleted person" until an editor gives them another
author. Drafts that nobody was ever shown go. Of comments the person decides.
"""

from people.account_deletion import on_account_deletion


@on_account_deletion
def delete(person, *, comments_stay):
    for draft in person.posts.filter(born=0, comments=None):
        draft.cover.delete(save=False)
        draft.delete()
    if not comments_stay:
        for comment in person.comments.exclude(body=""):
            comment.erase()
