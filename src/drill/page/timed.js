// Owns the note of when each frame of sound is sent and received, in every frame of a page that asks for it.
globalThis.drillArrivals = [];
{
  let worker;
  const listen = (side) => {
    worker ??= new Worker('/tap.js');
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => globalThis.drillArrivals.push(data);
    return new RTCRtpScriptTransform(worker, { side, port: port2 }, [port2]);
  };
  const isNew = new WeakSet();
  globalThis.drillNewPeer = (peer) => {
    peer.addEventListener('track', ({ track, receiver }) => {
      if (track.kind !== 'audio' || isNew.has(receiver)) return;
      isNew.add(receiver);
      receiver.transform = listen('receive');
    });
    // A sender takes its listener only before it has sent anything.
    const { addTransceiver, addTrack } = peer;
    const heard = (sender) => {
      if (sender.track?.kind === 'audio') sender.transform = listen('send');
      return sender;
    };
    peer.addTransceiver = (...args) => {
      const transceiver = addTransceiver.apply(peer, args);
      heard(transceiver.sender);
      return transceiver;
    };
    peer.addTrack = (...args) => heard(addTrack.apply(peer, args));
  };
}
