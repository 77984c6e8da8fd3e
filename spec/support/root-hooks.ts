// Owns the end of a mocha run: whatever run.ts started is gone before mocha ends.
import { endRun } from './run.ts';

export const mochaHooks = {
  async afterAll(): Promise<void> {
    await endRun();
  },
};
