import { pageLinks, parseLimit } from '../../../api/listing/paging';

const url = 'http://api/v2.0/lbaas/pools';

describe('limit', () => {
  it.each([
    [null, 1000, 1000],
    ['10', 1000, 10],
    ['5000', 1000, 1000],
    ['5000', null, 5000],
    ['0', 1000, null],
    ['-3', 1000, null],
    ['infinite', 1000, null],
  ])('%p with a maximum of %p means %p', (text, maximum, limit) => {
    expect(parseLimit(text, maximum)).toBe(limit);
  });

  it.each(['abc', '', '1.5', '1e3'])('refuses %p', (text) => {
    expect(() => parseLimit(text, 1000)).toThrow(`Supplied pagination limit '${text}' is not valid.`);
  });
});

describe('links', () => {
  it('offers the next page when this one is full, and keeps filters and order', () => {
    const query = new URLSearchParams('limit=2&name=a%20b&sort=name:desc');

    expect(pageLinks({ url, query, limit: 2, keys: ['k1', 'k2'] })).toEqual([
      { href: `${url}?limit=2&name=a%20b&sort=name%3Adesc&marker=k2`, rel: 'next' },
    ]);
  });

  it('offers the previous page when there was a marker', () => {
    const query = new URLSearchParams('limit=2&marker=k0');

    expect(pageLinks({ url, query, limit: 2, keys: ['k1'] })).toEqual([
      { href: `${url}?limit=2&marker=k1&page_reverse=True`, rel: 'previous' },
    ]);
  });

  it('offers nothing around an empty page or an unbounded one', () => {
    expect(pageLinks({ url, query: new URLSearchParams('marker=x'), limit: 2, keys: [] })).toEqual([]);
    expect(pageLinks({ url, query: new URLSearchParams(), limit: null, keys: ['k1'] })).toEqual([]);
  });
});
