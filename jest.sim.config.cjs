/** The suites of `npm run test:sim`: simulated clouds, with what decides about engines and load balancers as it is. */
module.exports = {
  ...require('./jest.config.cjs'),
  testMatch: ['<rootDir>/tests/sim/**/*.sim.ts'],
  testTimeout: 300000,
};
