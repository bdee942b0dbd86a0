"""Forwards connections so that each attack tool has its own address, whatever options it knows: a relay listens on the
address of the tool and connects from there. Must bind and reach 127.0.0.0/8 only."""
import asyncio
import threading


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except (OSError, RuntimeError):
        writer.close()


class Relays:
    """All relays on one thread. `open` gives the port where a tool finds the target."""

    def __init__(self):
        self.loop, self.open_tasks = asyncio.new_event_loop(), set()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def open(self, address, target_port):
        assert address.startswith("127.")

        async def serve(reader, writer):
            task = asyncio.current_task()
            self.open_tasks.add(task)  # the loop itself holds tasks weakly
            task.add_done_callback(self.open_tasks.discard)
            try:
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target_port, local_addr=(address, 0))
            except OSError:
                writer.close()
                return
            await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
            for end in (writer, far_writer):
                end.close()

        async def listen():
            return await asyncio.start_server(serve, address, 0, backlog=256)

        server = asyncio.run_coroutine_threadsafe(listen(), self.loop).result(10)
        return server.sockets[0].getsockname()[1]
