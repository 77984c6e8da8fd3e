// Owns the list of drills.
import type { Drill } from './drill.ts';
import { drill44 } from './drills/canaries.ts';
import { cascadeCost, drill29 } from './drills/cascade-cost.ts';
import { cascadeViews } from './drills/cascade-views.ts';
import { cryptoKills } from './drills/crypto-kills.ts';
import { drill26 } from './drills/cut.ts';
import { elementCall } from './drills/element-call.ts';
import { drill46 } from './drills/encrypted.ts';
import { drill27 } from './drills/flap.ts';
import { drill30 } from './drills/hang.ts';
import { drill28 } from './drills/ring.ts';
import { cascadeLayers } from './drills/layers.ts';
import { cascadeSignals } from './drills/signals.ts';
import { drill43 } from './drills/strangers.ts';
import { drill2 } from './drills/two-workers.ts';

export const drills: readonly Drill[] = [cascadeViews, cascadeCost, cascadeLayers, cascadeSignals, elementCall, drill2, drill26, drill27, drill28, drill29, drill30, drill43, drill44, drill46, cryptoKills];
