/** The suites of `npm run test:dataplane`: traffic through whole sites. */
module.exports = { ...require('./jest.config.cjs'), testMatch: ['<rootDir>/tests/dataplane/**/*.traffic.ts'] };
