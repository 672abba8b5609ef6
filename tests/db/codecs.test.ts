import {
  fromBit,
  fromDbTime,
  fromJson,
  splitIds,
  toApiTime,
  toBigInt,
  toBit,
  toDbTime,
  toJson,
  toNumber,
} from '../../driver/db/codecs';

it('keeps a time to the millisecond on its way into the database and back', () => {
  const at = new Date('2026-01-02T03:04:05.006Z');
  expect(toDbTime(at)).toBe('2026-01-02 03:04:05.006');
  expect(fromDbTime(toDbTime(at))).toEqual(at);
  expect(() => fromDbTime('yesterday')).toThrow(RangeError);
});

it('shows times to clients without zone and fraction', () => {
  expect(toApiTime('2026-01-02 03:04:05.999')).toBe('2026-01-02T03:04:05');
  expect(toApiTime(null)).toBeNull();
});

it('reads booleans in every form drivers give them', () => {
  expect([1, true, '1', 1n].map((value) => fromBit(value as never))).toEqual([true, true, true, true]);
  expect([0, false, '0', 0n].map((value) => fromBit(value as never))).toEqual([false, false, false, false]);
  expect([toBit(true), toBit(false)]).toEqual([1, 0]);
});

it('takes JSON as text and as what a driver has parsed', () => {
  expect(fromJson(toJson({ a: [1] }))).toEqual({ a: [1] });
  expect(fromJson<object>({ a: 1 })).toEqual({ a: 1 });
});

it('reads counts exactly, and refuses to make a wrong number of one', () => {
  expect(toBigInt('18446744073709551615')).toBe(18446744073709551615n);
  expect(toNumber('12')).toBe(12);
  expect(() => toNumber('9007199254740993')).toThrow(RangeError);
});

it('splits the ids of an aggregate, of which there may be none', () => {
  expect(splitIds('a,b')).toEqual(['a', 'b']);
  expect(splitIds(null)).toEqual([]);
});
