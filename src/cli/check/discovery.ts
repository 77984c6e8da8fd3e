// Owns the probes of how Element Call finds this bridge: by the homeserver (MSC4143), and by .well-known for older clients.
import { z } from 'zod';
import { readRegistration } from '../../bridge.ts';
import type { Config } from '../../config/schema.ts';
import { ask, reason } from './ask.ts';
import { doubtful, good, type Finding } from './finding.ts';
import { registration } from './quick.ts';

const transport = z.object({ type: z.string(), livekit_service_url: z.string().optional() }).catch({ type: '' });
const transports = z.object({ rtc_transports: z.array(transport).default([]) });
const wellKnown = z.object({ 'org.matrix.msc4143.rtc_foci': z.array(transport).default([]) });

/** Without these people start calls by the bot's command and the page only. */
export async function discovery(config: Config, asking: typeof ask = ask): Promise<Finding[]> {
  return await Promise.all([...(registration(config).level === 'failure' ? [] : [byHomeserver(config, asking)]), byWellKnown(config, asking)]);
}

/** `GET /_matrix/client/unstable/org.matrix.msc4143/rtc/transports` */
async function byHomeserver(config: Config, asking: typeof ask): Promise<Finding> {
  const { homeserver: { url }, http: { publicUrl } } = config;
  const lines = `In homeserver.yaml: matrix_rtc: {transports: [{type: livekit, livekit_service_url: "${publicUrl}"}]} and experimental_features: {msc4143_enabled: true}. Then restart the homeserver.`;
  try {
    const { status, body } = await asking(`${url}/_matrix/client/unstable/org.matrix.msc4143/rtc/transports`, readRegistration(config).asToken.reveal());
    const told = transports.safeParse(body);
    if (status !== 200 || !told.success) return doubtful(`The homeserver tells Element Call of no bridge (it answers ${status})`, lines);
    return judge('The homeserver', told.data.rtc_transports, publicUrl, lines);
  } catch (error) {
    return doubtful(`The homeserver could not be asked what it tells Element Call: ${reason(error)}`, lines);
  }
}

/** `GET https://<server name>/.well-known/matrix/client`: clients of 2025 and before. */
async function byWellKnown({ homeserver: { serverName }, http: { publicUrl } }: Config, asking: typeof ask): Promise<Finding> {
  const where = `https://${serverName.replace(/:\d+$/, '')}/.well-known/matrix/client`;
  const lines = `Add there: "org.matrix.msc4143.rtc_foci": [{"type": "livekit", "livekit_service_url": "${publicUrl}"}]`;
  try {
    const { status, body } = await asking(where);
    const told = wellKnown.safeParse(body);
    if (status !== 200 || !told.success) return doubtful(`${where} tells older clients of no bridge (it answers ${status})`, lines);
    return judge(where, told.data['org.matrix.msc4143.rtc_foci'], publicUrl, lines);
  } catch (error) {
    return doubtful(`${where} could not be read: ${reason(error)}`, lines);
  }
}

function judge(who: string, told: readonly z.infer<typeof transport>[], publicUrl: string, lines: string): Finding {
  const services = told.flatMap(({ type, livekit_service_url: service }) => (type === 'livekit' && service !== undefined ? [service.replace(/\/+$/, '')] : []));
  if (services.includes(publicUrl)) return good(`${who} tells Element Call of this bridge`);
  return doubtful(services.length === 0 ? `${who} tells Element Call of no bridge` : `${who} tells Element Call of ${services.join(', ')}, not of this bridge`, lines);
}
