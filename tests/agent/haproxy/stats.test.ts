import { parseStats } from '../../../driver/agent/haproxy/stats';

const HEADER = '# pxname,svname,scur,slim,stot,bin,bout,ereq,status,weight,check_status,';
const ROWS = ['web,FRONTEND,1,2000,7,100,200,0,OPEN,,,', 'pool,"one, two",0,,3,40,50,0,UP,1,L4OK,'];

describe('the answer to show stat', () => {
  it('is read by the names of its columns', () => {
    const [frontend, server] = parseStats([HEADER, ...ROWS].join('\n'));
    expect(frontend).toMatchObject({ proxy: 'web', server: 'FRONTEND', currentSessions: 1, totalSessions: '7' });
    expect(server).toMatchObject({ server: '"one, two"', status: 'UP', weight: 1, bytesIn: '40', bytesOut: '50' });
  });

  it.each([
    ['is empty', ''],
    ['is something else', "Can't find the target PID matching the prefix '@!7'"],
    ['breaks off within a line', [HEADER, ...ROWS].join('\n').slice(0, -20)],
    ['breaks off within its header', HEADER.slice(0, 30)],
  ])('is refused when it %s', (_, answer) => {
    expect(() => parseStats(answer)).toThrow(/show stat/);
  });
});
