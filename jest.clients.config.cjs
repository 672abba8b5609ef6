/** The suites of `npm run test:clients`: programs of others, which need packages from PyPI and minutes. */
module.exports = { ...require('./jest.config.cjs'), testMatch: ['**/*.suite.ts'] };
