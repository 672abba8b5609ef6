/** The suites of `npm run test:chaos`: a whole control plane in trouble, one after another since each takes the machine. */
module.exports = {
  ...require('./jest.config.cjs'),
  testMatch: ['<rootDir>/tests/**/*.drill.ts'],
  maxWorkers: 1,
};
