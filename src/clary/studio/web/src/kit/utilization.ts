/** What SageMaker publishes of instances, in percent; charts that nothing is known for are not shown. */
export const UTILIZATION = [
  { metric: "CPUUtilization", title: "CPU (100 % a core)" },
  { metric: "MemoryUtilization", title: "Memory (%)" },
  { metric: "DiskUtilization", title: "Disk (%)" },
  { metric: "GPUUtilization", title: "GPU (100 % each)" },
  { metric: "GPUMemoryUtilization", title: "GPU memory (100 % each)" },
] as const;
