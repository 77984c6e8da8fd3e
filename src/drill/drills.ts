// Owns the list of drills.
import type { Drill } from './drill.ts';
import { cascadeViews } from './drills/cascade-views.ts';

export const drills: readonly Drill[] = [cascadeViews];
