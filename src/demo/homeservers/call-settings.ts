// Owns what an operator adds to a homeserver's configuration for clients with a call button of their own.

/** Where calls are (MSC4143), leave events that come by themselves (MSC4140), sticky events (MSC4354), what clients read state by (MSC4222), and requests between bridges (MSC4512). */
export function callSettings(serviceUrl: string): Readonly<Record<string, unknown>> {
  const transport = { type: 'livekit', livekit_service_url: serviceUrl };
  return {
    matrix_rtc: { transports: [transport] },
    extra_well_known_client_content: { 'org.matrix.msc4143.rtc_foci': [transport] },
    max_event_delay_duration: '24h',
    rc_delayed_event_mgmt: { per_second: 100, burst_count: 1000 },
    experimental_features: { msc4143_enabled: true, msc4222_enabled: true, msc4354_enabled: true, msc4512_enabled: true },
  };
}
