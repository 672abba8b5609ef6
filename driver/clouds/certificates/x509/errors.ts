/** Material that is not what it should be. The message never shows any of it. */
export class MaterialError extends Error {
  override get name(): string {
    return 'MaterialError';
  }
}
