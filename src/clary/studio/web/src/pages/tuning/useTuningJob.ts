import { useRef, useState } from "react";

import { call, pages } from "../../api/client";
import { type Polled, usePolling } from "../../kit/usePolling";
import { hasEnded } from "../jobs/useJob";
import { type Summary, type Trial, trialsOf, type TuningJobDescription } from "./tuning";

/** How often a running job is asked how it goes. */
const LIVE_MILLISECONDS = 1500;
const PAGE = 100;
const MOST_PAGES = 20;

export interface Tuning {
  job: TuningJobDescription;
  trials: Trial[];
}

/** A tuning job with its trials, asked again until it has ended. */
export function useTuningJob(name: string): Polled<Tuning> & { ended: boolean } {
  const [ended, setEnded] = useState(false);
  const kept = useRef({ counted: "", trials: [] as Trial[] });
  const polled = usePolling(
    async (signal) => {
      const job = await call<TuningJobDescription>("sagemaker", "DescribeHyperParameterTuningJob", { HyperParameterTuningJobName: name }, signal);
      const counters = job.TrainingJobStatusCounters;
      const counted = JSON.stringify([name, counters]);
      // Of many trials all pages are asked for only when one of them has begun or ended.
      if (counted !== kept.current.counted || Object.values(counters).reduce((sum, count) => sum + count, 0) <= PAGE) {
        const found = await pages<{ TrainingJobSummaries: Summary[]; NextToken?: string }>(
          "sagemaker",
          "ListTrainingJobsForHyperParameterTuningJob",
          { HyperParameterTuningJobName: name, MaxResults: PAGE },
          MOST_PAGES,
          signal,
        );
        kept.current = { counted, trials: trialsOf(found.flatMap((page) => page.TrainingJobSummaries)) };
      }
      setEnded(hasEnded(job.HyperParameterTuningJobStatus));
      return { job, trials: kept.current.trials };
    },
    [name],
    ended ? 0 : LIVE_MILLISECONDS,
  );
  return { ...polled, ended };
}
