"""Random scenes with all that makes average precision hard."""

import numpy as np
import pytest

LABELS = ("cat", "person", "dog", "cup")


@pytest.fixture(scope="session")
def scene(make):
    """12 pictures: COCO labels of three classes with crowds, and answers of a model that knows four."""

    def build(keypoints=0, pictures=12, seed=3):
        random = np.random.default_rng(seed)
        annotations, answers, names = [], {}, tuple(f"p{i}" for i in range(keypoints))
        for number in range(5, 5 + pictures):
            boxes, scores, classes, points = [], [], [], []
            for _ in range(random.integers(0, 8)):
                corner, size = random.uniform(0, 300, 2), random.uniform(20, 150, 2)
                category = int(random.integers(1, 4))
                entry = {"id": len(annotations) + 1, "image_id": number, "category_id": category}
                entry |= {"bbox": [*corner, *size], "area": float(size.prod()), "iscrowd": int(random.random() < 0.15)}
                if keypoints:
                    marked = corner + random.random((keypoints, 2)) * size
                    seen = random.integers(0, 3, keypoints)
                    entry["keypoints"] = np.column_stack([marked, seen]).ravel().tolist()
                    entry["num_keypoints"] = int((seen > 0).sum())
                annotations.append(entry)
                for _ in range(random.integers(0, 3)):
                    near = np.array([*corner, *(corner + size)]) + random.normal(0, 6, 4)
                    boxes.append(near)
                    scores.append(random.random())
                    classes.append(category if random.random() < 0.9 else 0)
                    if keypoints:
                        points.append(np.column_stack([marked + random.normal(0, 5, marked.shape), np.ones(keypoints)]))
            more = {"keypoints": np.reshape(points, (-1, keypoints, 3)), "names": names} if keypoints else {}
            answers[number] = make.found(number, boxes, scores, classes, LABELS, **more)
        dataset = {
            "images": [{"id": i, "file_name": f"{i}.png", "width": 640, "height": 480} for i in answers],
            "categories": [{"id": i, "name": LABELS[i]} for i in (1, 2, 3)],
            "annotations": annotations,
        }
        for category in dataset["categories"] if keypoints else ():
            category["keypoints"] = list(names)
        return dataset, answers

    return build


@pytest.fixture(scope="session")
def copied(make):
    """A scene in which each picture stands as often as ``counts`` says: what a round of a bootstrap stands for."""

    def copy(dataset, answers, counts):
        images, annotations, results = [], [], {}
        for number, count in zip(sorted(answers), counts, strict=True):
            for again in range(int(count)):
                new = number + 1000 * (again + 1)
                images.append({"id": new, "file_name": f"{new}.png", "width": 640, "height": 480})
                results[new] = answers[number]
                for one in dataset["annotations"]:
                    if one["image_id"] == number:
                        annotations.append({**one, "id": len(annotations) + 1, "image_id": new})
        return {**dataset, "images": images, "annotations": annotations}, results

    return copy
