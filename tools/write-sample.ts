// Writes config/bridge.sample.yaml anew from the schema.
import { writeFileSync } from 'node:fs';
import { sampleConfig } from '../src/config/sample.ts';

writeFileSync(new URL('../config/bridge.sample.yaml', import.meta.url), sampleConfig());
