import { describeRows } from './describeRows';
import { TABLE } from './table';

describeRows('pools', TABLE.pool, { vipCidr: '127.111.0.0/24' });
