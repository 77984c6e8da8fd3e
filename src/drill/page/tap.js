// Owns the worker that notes when a frame of sound passes and what it was; frames pass as they are.
self.onrtctransform = ({ transformer }) => {
  const { side, port } = transformer.options;
  const passing = new TransformStream({
    transform(frame, controller) {
      const atMs = performance.timeOrigin + performance.now();
      const bytes = new Uint8Array(frame.data);
      // Noise: the first bytes of two frames are never the same for long.
      const digest = `${bytes.length}:${[...bytes.subarray(0, 24)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
      controller.enqueue(frame);
      port.postMessage({ side, digest, atMs });
    },
  });
  void transformer.readable.pipeThrough(passing).pipeTo(transformer.writable);
};
