// Owns the names under which run.ts tells the reporter, in mocha's process, what to do.

export const totalsFileVariable = 'VIADUC_TEST_TOTALS';
export const reporterVariable = 'VIADUC_TEST_REPORTER';
