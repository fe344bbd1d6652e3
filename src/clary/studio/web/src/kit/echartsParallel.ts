/** What parallel coordinates need of ECharts beyond the other charts. */
import { ParallelChart } from "echarts/charts";
import { ParallelComponent } from "echarts/components";
import { use } from "echarts/core";

import { init as start } from "./echarts";

use([ParallelChart, ParallelComponent]);

export const init = start;
