import { configFromText } from '../../driver/config/config';
import { openSealer } from '../../driver/config/sealer';
import { createSealer } from '../../driver/domain/sealing';

it('opens what it has sealed, for the same thing alone', () => {
  const sealer = createSealer(['a key of the configuration']);

  const sealed = sealer.seal('md5 of a peer', 'bgp group-1');

  expect(sealed).toMatch(/^sealed:/);
  expect(sealed).not.toContain('md5');
  expect(sealer.open(sealed, 'bgp group-1')).toBe('md5 of a peer');
  expect(() => sealer.open(sealed, 'bgp group-2')).toThrow('cannot be opened');
  expect(() => sealer.open('md5 of a peer', 'bgp group-1')).toThrow('cannot be opened');
});

it('seals the same text differently each time, and notices a changed one', () => {
  const sealer = createSealer(['key']);
  const sealed = sealer.seal('secret', 'x');

  expect(sealer.seal('secret', 'x')).not.toBe(sealed);
  const at = sealed.length - 5;
  const changed = `${sealed.slice(0, at)}${sealed[at] === 'A' ? 'B' : 'A'}${sealed.slice(at + 1)}`;
  expect(() => sealer.open(changed, 'x')).toThrow('cannot be opened');
});

it('opens with every key of the configuration, and seals with the first', () => {
  const before = openSealer(configFromText('[certificates]\nserver_certs_key_passphrase = old'));
  const after = openSealer(configFromText('[certificates]\nserver_certs_key_passphrase = new, old'));

  const sealed = before?.seal('secret', 'x') ?? '';

  expect(after?.open(sealed, 'x')).toBe('secret');
  expect(() => before?.open(after?.seal('secret', 'x') ?? '', 'x')).toThrow('cannot be opened');
  expect(after?.digest('token', 'x')).toMatch(/^[0-9a-f]{64}$/);
  expect(after?.digest('token', 'x')).not.toBe(before?.digest('token', 'x'));
  expect(openSealer(configFromText(''))).toBeUndefined();
});
