// The formulas of coughlab/evaluation/decision.py that a prevalence needs. That module documents them, and tests compare the two.
function postTest(prevalence, ratio) {
  return (prevalence * ratio) / (prevalence * ratio + (1 - prevalence));
}

function people(prevalence, sensitivity, specificity, n = 1000) {
  const rounded = (number) => Math.floor(number + 0.5);
  const ill = rounded(n * prevalence);
  const found = rounded(ill * sensitivity);
  const alarmed = rounded((n - ill) * (1 - specificity));
  return { found, missed: ill - found, alarmed, cleared: n - ill - alarmed };
}

function netBenefit(prevalence, sensitivity, specificity, threshold) {
  return prevalence * sensitivity - (1 - prevalence) * (1 - specificity) * (threshold / (1 - threshold));
}

// The probabilities of being ill after a negative and after a positive result.
function worthwhile(prevalence, sensitivity, specificity) {
  if (sensitivity + specificity <= 1) return null;
  const missed = prevalence * (1 - sensitivity);
  const found = prevalence * sensitivity;
  const healthy = 1 - prevalence;
  return [missed / (missed + healthy * specificity), found / (found + healthy * (1 - specificity))];
}

function priorShift(probability, trained, prevalence) {
  return postTest(probability, ((prevalence / (1 - prevalence)) * (1 - trained)) / trained);
}
