import { coerce } from '../../../api/openapi/coerce';
import { loadDocument, type Schema } from '../../../api/openapi/document';

const document = loadDocument();

function coerceAs(type: string, value: unknown, more: Partial<Schema> = {}): unknown {
  return coerce(document, { type: [type, 'null'], ...more }, value);
}

describe('what a client may write for a value', () => {
  it.each([
    ['80', 80],
    [' -1 ', -1],
    [80.9, 80],
    [-0.5, -0],
    [true, 1],
    ['eighty', 'eighty'],
    ['', ''],
    ['80.5', '80.5'],
    [null, null],
  ])('takes %p for the integer %p', (sent, expected) => {
    expect(coerceAs('integer', sent)).toEqual(expected);
  });

  it.each([
    ...['true', 'T', 'Yes', 'y', 'ON', '1', 1, 2].map((word) => [word, true] as const),
    ...['false', 'F', 'No', 'n', 'oFF', '0', 0].map((word) => [word, false] as const),
    ['maybe', 'maybe'] as const,
    [1.5, 1.5] as const,
    [null, null] as const,
  ])('takes %p for the boolean %p', (sent, expected) => {
    expect(coerceAs('boolean', sent)).toBe(expected);
  });

  it.each([
    ['1.1', 1.1],
    [1.0, 1],
    ['1.x', '1.x'],
  ])('takes %p for the number %p', (sent, expected) => {
    expect(coerceAs('number', sent)).toBe(expected);
  });

  it.each([
    ['A1B2C3D4-0000-4000-8000-00000000000F', 'a1b2c3d4-0000-4000-8000-00000000000f'],
    ['a1b2c3d400004000800000000000000f', 'a1b2c3d4-0000-4000-8000-00000000000f'],
    ['{a1b2c3d4-0000-4000-8000-00000000000f}', 'a1b2c3d4-0000-4000-8000-00000000000f'],
    ['urn:uuid:a1b2c3d4-0000-4000-8000-00000000000f', 'a1b2c3d4-0000-4000-8000-00000000000f'],
    ['a1b2c3d4', 'a1b2c3d4'],
    ['', ''],
  ])('takes %p for the UUID %p', (sent, expected) => {
    expect(coerceAs('string', sent, { format: 'uuid' })).toBe(expected);
  });

  it.each([
    ['10.0.1.77/24', '10.0.1.0/24'],
    ['10.0.1.77', '10.0.1.77/32'],
    ['2001:db8::5/64', '2001:db8::/64'],
    ['::1', '::1/128'],
    ['10.0.1.0/33', '10.0.1.0/33'],
    ['172.16.55.1.0/25', '172.16.55.1.0/25'],
  ])('takes %p for the network %p', (sent, expected) => {
    expect(coerceAs('string', sent, { format: 'cidr' })).toBe(expected);
  });

  it('leaves strings and what is no string alone', () => {
    expect(coerceAs('string', 5)).toBe(5);
    expect(coerceAs('string', ' a ')).toBe(' a ');
  });
});

describe('whole bodies', () => {
  const schema = document.components.schemas['LoadBalancerCreate'] ?? {};

  it('reaches into graphs', () => {
    const body = { listeners: [{ protocol_port: '80', default_pool: { members: [{ backup: 'yes', weight: '3' }] } }] };

    expect(coerce(document, schema, body)).toEqual({
      listeners: [{ protocol_port: 80, default_pool: { members: [{ backup: true, weight: 3 }] } }],
    });
  });

  it('refuses a list beyond its bound before it looks at the items', () => {
    const tags = new Array(100_000).fill(null);

    expect(() => coerce(document, schema, { tags })).toThrow('A list of 100000 items is too long: 512 are allowed.');
  });

  it('does not touch what the schema does not know', () => {
    const body = JSON.parse('{"__proto__": {"weight": "1"}, "constructor": "80", "unknown": ["1"]}');

    expect(coerce(document, schema, body)).toEqual(body);
  });
});
