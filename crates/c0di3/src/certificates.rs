//! When certificates end: read anew each time, so that a renewed one counts at once. It trusts none of them and checks no
//! chain.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use api::health::{CheckResult, HealthCheck, HealthStatus};
use async_trait::async_trait;
use x509_cert::Certificate;

use crate::clock;

/// Days before the end from which `/health` tells of it.
const WARN_DAYS: i64 = 21;
/// Longest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;
const SECONDS_PER_DAY: i64 = 86_400;

/// When the first certificate of the file to end does so, in seconds since 1970.
pub(crate) fn ends_at(path: &Path) -> anyhow::Result<i64> {
    let bytes = std::fs::metadata(path).with_context(|| format!("cannot look at {}", path.display()))?.len();
    if bytes > FILE_BYTES_MAX {
        bail!("{} is too long for certificates", path.display());
    }
    let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let chain =
        Certificate::load_pem_chain(&text).with_context(|| format!("{} holds no certificates", path.display()))?;
    let ends = chain.iter().map(|certificate| {
        let seconds = certificate.tbs_certificate().validity().not_after.to_unix_duration().as_secs();
        i64::try_from(seconds).unwrap_or(i64::MAX)
    });
    ends.min().with_context(|| format!("{} holds no certificates", path.display()))
}

pub(crate) struct CertificatesCheck(pub(crate) Vec<PathBuf>);

impl CertificatesCheck {
    /// Files may lie on a disk that stands still: they are read where that holds nobody up.
    async fn ends(&self) -> Vec<(PathBuf, anyhow::Result<i64>)> {
        let paths = self.0.clone();
        let read = move || paths.into_iter().map(|path| (path.clone(), ends_at(&path))).collect();
        tokio::task::spawn_blocking(read).await.unwrap_or_default()
    }
}

#[async_trait]
impl HealthCheck for CertificatesCheck {
    fn name(&self) -> &'static str {
        "certificates"
    }

    fn is_required(&self) -> bool {
        false
    }

    async fn check(&self) -> CheckResult {
        let now = clock::now().0 / 1_000_000;
        let mut least = i64::MAX;
        let mut words = Vec::new();
        for (path, ends) in self.ends().await {
            let days = match ends {
                Ok(ends) => (ends - now).div_euclid(SECONDS_PER_DAY),
                Err(error) => {
                    words.push(format!("{error:#}"));
                    continue;
                }
            };
            least = least.min(days);
            match days {
                ..0 => words.push(format!("{} has ended: renew it now", path.display())),
                0..=WARN_DAYS => words.push(format!("{} ends in {days} days: renew it", path.display())),
                _ => {}
            }
        }
        let status = match (least < 0, words.is_empty()) {
            (true, _) => HealthStatus::Fail,
            (false, false) => HealthStatus::Warn,
            (false, true) => HealthStatus::Pass,
        };
        let value = (least < i64::MAX).then_some(least as f64);
        let output = (!words.is_empty()).then(|| words.join("; "));
        CheckResult { status, observed_value: value, observed_unit: value.map(|_| "days".to_owned()), output }
    }

    async fn measure(&self) {
        for (path, ends) in self.ends().await {
            if let Ok(ends) = ends {
                let file = path.display().to_string();
                metrics::gauge!("certificate_expires_timestamp_seconds", "file" => file).set(ends as f64);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made once with `openssl req -x509 -newkey ed25519 -nodes -days 36500 -subj /CN=test`; its key was thrown away.
    const PEM: &str = include_str!("certificates/test.pem");
    const NOT_AFTER: i64 = 4949583707;

    #[tokio::test]
    async fn the_first_end_of_a_chain_counts_and_what_is_no_certificate_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let good = folder.path().join("good.pem");
        std::fs::write(&good, format!("{PEM}{PEM}")).unwrap();
        assert_eq!(ends_at(&good).unwrap(), NOT_AFTER);
        let none = folder.path().join("none.pem");
        std::fs::write(&none, "no certificate").unwrap();
        assert!(ends_at(&none).unwrap_err().to_string().ends_with("holds no certificates"));
        let ended = folder.path().join("ended.pem");
        std::fs::write(&ended, format!("{PEM}{}", include_str!("certificates/ended.pem"))).unwrap();
        assert_eq!(ends_at(&ended).unwrap(), 1_609_459_200, "the first that ends, wherever it stands");
        assert_eq!(CertificatesCheck(vec![ended]).check().await.status, HealthStatus::Fail);
        let told = CertificatesCheck(vec![good, folder.path().join("absent.pem")]).check().await;
        assert_eq!(told.status, HealthStatus::Warn);
        assert!(told.output.unwrap().contains("absent.pem"));
    }
}
