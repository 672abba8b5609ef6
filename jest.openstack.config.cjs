/**
 * The suites of `npm run test:openstack`: one file after another, since they share one cloud, and last the one that looks at
 * what they left behind.
 */
module.exports = {
  ...require('./jest.config.cjs'),
  testMatch: ['**/*.cloud.ts'],
  // Loses engines in many ways: minutes.
  testPathIgnorePatterns: process.env.SLIPSTREAM_FULL ? [] : ['/healing\\.cloud\\.ts$'],
  globalSetup: '<rootDir>/tests/openstack/remember.ts',
  testSequencer: '<rootDir>/tests/openstack/sequencer.cjs',
  testTimeout: 300000,
  maxWorkers: 1,
};
