/** The suites of `npm run test:engine`: the life of engines, with real agents in namespaces. */
module.exports = {
  ...require('./jest.config.cjs'),
  testMatch: ['<rootDir>/tests/**/*.engine.ts'],
  // Builds an image and boots it: minutes.
  testPathIgnorePatterns: process.env.SLIPSTREAM_FULL ? [] : ['/boot\\.engine\\.ts$'],
  testTimeout: 120000,
};
