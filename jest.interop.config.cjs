/** The suites of `npm run test:interop`: the wire, with the programs of others as peers. */
module.exports = { ...require('./jest.config.cjs'), testMatch: ['**/*.peer.ts'] };
