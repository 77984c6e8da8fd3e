// Owns what is remembered in every frame before its scripts run: WebSockets and peer connections.
globalThis.drillSockets = [];
globalThis.drillPeers = [];
globalThis.WebSocket = new Proxy(globalThis.WebSocket, {
  construct(target, args, newTarget) {
    globalThis.drillSockets.push(new URL(args[0]).host);
    return Reflect.construct(target, args, newTarget);
  },
});
globalThis.RTCPeerConnection = new Proxy(globalThis.RTCPeerConnection, {
  construct(target, args, newTarget) {
    const peer = Reflect.construct(target, args, newTarget);
    globalThis.drillPeers.push(peer);
    globalThis.drillNewPeer?.(peer);
    return peer;
  },
});
