// Owns livekit-client's own worker of end-to-end encryption, with an ear on its frames: what leaves it encrypted, and what comes to it encrypted.
import 'livekit-client/e2ee-worker';

const decrypting = self.onmessage;

async function tell(side, frame) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', frame.data));
  self.postMessage({ drill: side, digest: digest.toHex?.() ?? [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('') });
}

/** Frames pass as they are. */
function ear(side) {
  return new TransformStream({
    async transform(frame, controller) {
      await tell(side, frame);
      controller.enqueue(frame);
    },
  });
}

self.onmessage = (event) => {
  const { kind, data } = event.data;
  if (kind === 'encode' && data.writableStream !== undefined) {
    const passing = ear('send');
    void passing.readable.pipeTo(data.writableStream);
    decrypting.call(self, { data: { kind, data: { ...data, writableStream: passing.writable } } });
  } else if (kind === 'decode' && data.readableStream !== undefined) {
    decrypting.call(self, { data: { kind, data: { ...data, readableStream: data.readableStream.pipeThrough(ear('receive')) } } });
  } else {
    decrypting.call(self, event);
  }
};
