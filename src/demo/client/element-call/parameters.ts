// Owns what the page that hosts Element Call is told: in its fragment, which no server sees.
import { z } from 'zod';

const parametersSchema = z.object({
  homeserver: z.url({ protocol: /^https?$/ }),
  user: z.string().startsWith('@'),
  device: z.string().min(1),
  token: z.string().min(1),
  room: z.string().startsWith('!'),
  mode: z.enum(['compatibility', 'matrix_2_0']),
  lang: z.enum(['fr', 'en']).default('en'),
});

export type Parameters = z.infer<typeof parametersSchema>;

/** @throws when something is missing */
export function readParameters(fragment: string): Parameters {
  return parametersSchema.parse(Object.fromEntries(new URLSearchParams(fragment.replace(/^#/, ''))));
}
