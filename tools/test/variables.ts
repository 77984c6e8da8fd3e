// Owns the names under which run.ts tells mocha's process what to do.

export const totalsFileVariable = 'VIADUC_TEST_TOTALS';
export const reporterVariable = 'VIADUC_TEST_REPORTER';
/** The first port of the specs. */
export const portVariable = 'VIADUC_TEST_PORT';
export const defaultPort = 19_440;
