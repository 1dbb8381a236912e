"""The editors' side: the standard admin, every action of which goes through the same verbs as the site."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import HttpResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

import live
from live.ticks import lock
from moderation.admin import ActionInline, HistoryInline, ModeratedAdmin, ReportInline
from moderation.models import Report
from people.models import DISPLAY_NAMES
from people.versioned_admin import VersionedAdmin, VersionedInline
from people.versioned_forms import VersionedForm
from posts import markdown
from posts.models import FRONT, Comment, LiveUpdate, Post, Revision, Tag
from posts.pictures import redrawn


class PreviewWidget(forms.Textarea):
    """A text area for Markdown, with what it becomes shown below while one types."""

    template_name = "admin/preview.html"

    class Media:
        css = {"all": ["css/preview.css", "css/code.css"]}

    def get_context(self, name, value, attrs):
        return super().get_context(name, value, attrs) | {"address": reverse("admin:posts_post_preview")}


class PostForm(VersionedForm):
    class Meta:
        model = Post
        fields = ["title", "summary", "body", "status", "published_at", "coverage", "comments_open", "tags", "cover"]
        fields += ["language", "author", "slug", "format", "is_page", "password"]
        widgets = {"body": PreviewWidget({"rows": 24}), "summary": forms.Textarea({"rows": 3})}

    def clean_cover(self):
        cover = self.cleaned_data["cover"]
        return redrawn(cover) if "cover" in self.changed_data and cover else cover

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("status") == Post.Status.SCHEDULED and not cleaned.get("published_at"):
            self.add_error("published_at", _("Say when the post shall appear."))
        return cleaned


class LiveUpdateInline(VersionedInline):
    model = LiveUpdate
    fields = [("at", "pinned", "struck"), "title", "body"]
    extra = 1
    formfield_overrides = {LiveUpdate._meta.get_field("body").__class__: {"widget": forms.Textarea({"rows": 4})}}

    def get_queryset(self, request):
        return super().get_queryset(request).filter(withdrawn=False).order_by("-at")

    def has_delete_permission(self, request, obj=None):
        return self.has_change_permission(request, obj)


@admin.register(Post)
class PostAdmin(VersionedAdmin):
    form = PostForm
    inlines = [LiveUpdateInline]
    list_display = ["title_shown", "author", "status", "published_at", "coverage", "comment_count"]
    list_filter = ["status", "coverage", "is_page", "language", "tags"]
    search_fields = ["title", "summary", "body"]
    date_hierarchy = "published_at"
    autocomplete_fields = ["tags"]
    actions = ["publish", "unpublish", "end_coverage", "open_comments", "close_comments"]
    fieldsets = [
        (None, {"fields": ["title", "summary", "body"]}),
        (_("Publication"), {"fields": [("status", "published_at"), "coverage", "comments_open"]}),
        (
            _("Details"),
            {
                "fields": ["tags", "cover", "language", "author", "slug", "format", "is_page", "password"],
                "classes": ["collapse"],
            },
        ),
    ]

    # Whose posts

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("author").editable_by(request.user)

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and (obj is None or obj.editable_by(request.user))

    def has_delete_permission(self, request, obj=None):
        """What was public is unpublished, never deleted: only a row can tell the open pages."""
        return obj is not None and not obj.born and self.has_change_permission(request, obj)

    def get_readonly_fields(self, request, obj=None):
        return [] if request.user.has_perm("posts.edit_any_post") else ["author"]

    def get_changeform_initial_data(self, request):
        return {"author": request.user.pk, **super().get_changeform_initial_data(request)}

    # Verbs

    def lock(self, post):
        lock(FRONT, post)

    def save_model(self, request, obj, form, change):
        if not change and (not obj.author_id or not request.user.has_perm("posts.edit_any_post")):
            obj.author = request.user
        obj.revise()

    def save_formset(self, request, form, formset, change):
        for update in formset.save(commit=False):
            if not update.author_id:
                update.author = request.user
            update.post = form.instance
            update.revise()
        for update in formset.deleted_objects:
            update.withdraw()

    @admin.action(description=_("Publish"), permissions=["change"])
    def publish(self, request, queryset):
        self.each(request, queryset, Post.publish)

    @admin.action(description=_("Unpublish"), permissions=["change"])
    def unpublish(self, request, queryset):
        self.each(request, queryset, Post.unpublish)

    @admin.action(description=_("End the live coverage"), permissions=["change"])
    def end_coverage(self, request, queryset):
        self.each(request, queryset, Post.end_coverage)

    @admin.action(description=_("Open the comments"), permissions=["change"])
    def open_comments(self, request, queryset):
        self.each(request, queryset, Post.open_comments)

    @admin.action(description=_("Close the comments"), permissions=["change"])
    def close_comments(self, request, queryset):
        self.each(request, queryset, Post.close_comments)

    def each(self, request, queryset, verb):
        posts = list(queryset)
        for post in posts:
            if not post.editable_by(request.user):
                raise PermissionDenied
            verb(post)
        done = ngettext("%(n)s post changed.", "%(n)s posts changed.", len(posts)) % {"n": len(posts)}
        self.message_user(request, done, messages.SUCCESS)

    # Looks

    @admin.display(description=_("title"), ordering="title")
    def title_shown(self, post):
        return str(post)

    def get_urls(self):
        preview = path("preview/", self.admin_site.admin_view(self.preview), name="posts_post_preview")
        return [preview, *super().get_urls()]

    def preview(self, request):
        return preview(request)


@require_POST
def preview(request):
    """What Markdown becomes on the page."""
    if not request.user.has_perm("posts.add_post"):
        raise PermissionDenied
    body = request.POST.get("body", "")
    try:
        Post._meta.get_field("body").run_validators(body)
    except ValidationError as error:
        return HttpResponse(format_html('<p role="alert">{}</p>', " ".join(error.messages)), status=422)
    return HttpResponse(format_html('<div class="prose">{}</div>', markdown.article(body)))


@admin.register(Tag)
class TagAdmin(admin.ModelAdmin):
    list_display = ["name", "slug"]
    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}

    def save_model(self, request, obj, form, change):
        with live.change(DISPLAY_NAMES):
            super().save_model(request, obj, form, change)


class RevisionInline(HistoryInline):
    model = Revision
    fields = readonly_fields = ["replaced_at", "body"]


class QueueFilter(admin.SimpleListFilter):
    title = _("queue")
    parameter_name = "queue"
    states = {
        "waiting": Q(state=Comment.State.WAITING),
        "reported": Q(reports__in=Report.objects.open()),
        "removed": Q(state__in=[Comment.State.REJECTED, Comment.State.TOMBSTONE, Comment.State.REMOVED]),
    }

    def lookups(self, request, model_admin):
        return [("waiting", _("Waiting for review")), ("reported", _("Reported")), ("removed", _("Removed"))]

    def queryset(self, request, queryset):
        return queryset.filter(self.states.get(self.value(), Q())).distinct()


@admin.register(Comment)
class CommentAdmin(ModeratedAdmin):
    inlines = [ActionInline, ReportInline, RevisionInline]
    list_display = ["__str__", "author_name", "post", "created_at", "state", "last_action"]
    list_filter = [QueueFilter, "state", "created_at"]
    search_fields = ["body", "author__username", "guest"]
    ordering = ["-pk"]
    fields = readonly_fields = ["post", "author", "guest", "body", "created_at", "edited_at", "state"]
    fields = readonly_fields = [*fields, "removed_by", "reason", "menu"]
    actions = ["approve", "reject", "remove", "restore", "keep", "ban"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("author", "post").prefetch_related("actions")
