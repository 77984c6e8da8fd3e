// Owns the shape of demo.json: what the demo's server tells the page of columns. Shared by both sides.
import { z } from 'zod';

const words = z.object({ fr: z.string(), en: z.string() });

export const demoInfoSchema = z.object({
  language: z.enum(['fr', 'en']),
  roomId: z.string(),
  /** What starts a call, "!visio". */
  command: z.string(),
  botUserIds: z.array(z.string()),
  /** Widgets of these origins get the person's OpenID token without being asked about. */
  callOrigins: z.array(z.string()),
  columns: z.array(
    z.object({
      organisation: z.string(),
      organisationName: words,
      serverName: z.string(),
      homeserverUrl: z.string(),
      localpart: z.string(),
      displayName: z.string(),
      password: z.string(),
    }),
  ),
});

export type DemoInfo = z.infer<typeof demoInfoSchema>;
