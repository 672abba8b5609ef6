/** The suites of `npm run test:fabric`: VIPs in Contrail, with packets through a fabric of namespaces. */
module.exports = {
  ...require('./jest.config.cjs'),
  testMatch: ['<rootDir>/tests/**/*.fabric.ts'],
  testTimeout: 120000,
  // Some of it is about how soon something happens.
  maxWorkers: 1,
};
