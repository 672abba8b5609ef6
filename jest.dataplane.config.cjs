/** The suites of `npm run test:dataplane`: traffic through whole sites, and what engines take long to show. */
module.exports = { ...require('./jest.config.cjs'), testMatch: ['<rootDir>/tests/**/*.traffic.ts'] };
