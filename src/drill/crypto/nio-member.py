# Owns a member of an encrypted room by matrix-nio: orders as JSON lines on standard input, what it sees as JSON lines on standard output.
import asyncio
import json
import logging
import os
import sys

import nio

logging.disable(logging.CRITICAL)


def say(**what):
    print(json.dumps(what), flush=True)


def relation(event):
    found = event.source["content"].get("m.relates_to", {})
    replaces = found.get("event_id") if found.get("rel_type") == "m.replace" else None
    return {"replaces": replaces, "answers": found.get("m.in_reply_to", {}).get("event_id")}


class Member:
    def __init__(self, options):
        config = nio.AsyncClientConfig(encryption_enabled=True, store_sync_tokens=True)
        os.makedirs(options["store"], exist_ok=True)
        self.password = options["password"]
        self.rotation = options.get("rotation")
        self.client = nio.AsyncClient(options["url"], options["userId"], device_id=options["deviceId"], store_path=options["store"], config=config)
        self.client.add_event_callback(self.text, (nio.RoomMessageText, nio.RoomMessageNotice))
        self.client.add_event_callback(self.blind, nio.MegolmEvent)

    def text(self, room, event):
        new_body = event.source["content"].get("m.new_content", {}).get("body")
        say(read=event.event_id, room=room.room_id, sender=event.sender, body=event.body, newBody=new_body, relatesTo=relation(event), encrypted=event.decrypted)

    def blind(self, room, event):
        say(blind=event.event_id, sender=event.sender)

    async def sync(self):
        client = self.client
        while True:
            answer = await client.sync(timeout=20_000, full_state=not client.next_batch)
            if isinstance(answer, nio.SyncError):
                await asyncio.sleep(0.2)
                continue
            if client.should_upload_keys:
                await client.keys_upload()
            if client.should_query_keys:
                await client.keys_query()
            if client.should_claim_keys:
                await client.keys_claim(client.get_users_for_key_claiming())
            await client.send_to_device_messages()

    async def join(self, room):
        return str(await self.client.join(room))

    async def say(self, room, body, withUsers):
        client = self.client
        # matrix-nio does not wait for the keys of who has only just joined: they would never get this message's.
        while not (room in client.rooms and all(user in client.rooms[room].users and any(client.device_store.active_user_devices(user)) for user in withUsers if user != client.user_id)):
            await asyncio.sleep(0.05)
        answer = await client.room_send(room, "m.room.message", {"msgtype": "m.text", "body": body}, ignore_unverified_devices=True)
        if self.rotation:  # matrix-nio overlooks the room's rotation_period_msgs
            for session in client.olm.outbound_group_sessions.values():
                session.max_messages = self.rotation
        return getattr(answer, "event_id", None) or "failed: " + str(answer)

    async def decrypt(self, event):
        encrypted = nio.Event.parse_encrypted_event(event)
        encrypted.room_id = event["room_id"]
        try:
            return self.client.decrypt_event(encrypted).body
        except nio.EncryptionError:
            return None

    async def devices(self, user):
        if self.client.should_query_keys:
            await self.client.keys_query()
        return {device.id: device.ed25519 for device in self.client.device_store.active_user_devices(user)}

    async def orders(self):
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        works = {"join": self.join, "say": self.say, "decrypt": self.decrypt, "devices": self.devices}
        while line := await reader.readline():
            order = json.loads(line)
            try:
                say(ref=order["ref"], answer=await works[order["what"]](**order["with"]))
            except Exception as error:  # noqa: BLE001, the other side must hear of every failure
                say(ref=order["ref"], error=f"{type(error).__name__}: {error}")

    async def run(self):
        answer = await self.client.login(self.password, device_name="nio")
        if not isinstance(answer, nio.LoginResponse):
            raise SystemExit(f"login: {answer}")
        say(up=self.client.user_id)
        done, _ = await asyncio.wait([asyncio.create_task(self.sync()), asyncio.create_task(self.orders())], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        os._exit(0)


asyncio.run(Member(json.loads(sys.argv[1])).run())
