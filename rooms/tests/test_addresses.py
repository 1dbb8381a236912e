from rooms.models import Room


def test_a_rooms_old_address_leads_to_the_new_one(client, alice, bob):
    den = Room(name="The den", kind=Room.Kind.MEMBERS, created_by=alice)
    den.revise()
    den.admit(alice)
    den.slug = "the-cave"
    den.revise()
    assert client.get("/rooms/the-den/").status_code == 404
    client.force_login(alice)
    answer = client.get("/rooms/the-den/?before=1")
    assert (answer.status_code, answer.url) == (301, "/rooms/the-cave/?before=1")


def test_who_was_taken_out_is_told_so_and_keeps_the_text(client, alice, bob):
    den = Room(name="The den", kind=Room.Kind.MEMBERS, created_by=alice)
    den.revise()
    den.admit(bob)
    client.force_login(bob)
    den.memberships.get(person=bob).leave()
    answer = client.post(f"/rooms/{den.pk}/messages/", {"body": "What I typed"})
    html = answer.content.decode()
    assert answer.status_code == 404 and "not a member" in html and "What I typed</textarea>" in html
